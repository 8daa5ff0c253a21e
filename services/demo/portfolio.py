"""One learner's portfolio while the demo builds it: the planned aims, the people around the learner, and the rows."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from domain.breaks import BreakPeriod
from domain.clock import london_time
from domain.enums import AimStatus, Role
from services.demo.audit_trail import HistoryEntry
from services.demo.bulk_rows import Rows
from services.demo.sample_files import SampleFile
from services.demo.stored_qualification import StoredQualification


@dataclass(slots=True)
class AimPlan:
    """An aim to build. `mapped` is the share of its criteria with evidence; `signed_off` is a share of those."""

    qualification: StoredQualification
    status: AimStatus
    start: dt.date
    planned_end: dt.date
    assessor: int
    iqa: int | None
    mapped: float = 0.0
    signed_off: float = 0.0
    actual_end: dt.date | None = None
    # The breaks in learning: the first day and the day of the return, None for one that has not ended.
    breaks: tuple[BreakPeriod, ...] = ()
    # The version that the aim was measured against before.
    earlier: StoredQualification | None = None
    # How many optional units are chosen; as many as the qualification asks for where it is None.
    optional_units: int | None = None
    # The key of the aim's row, once it has one.
    key: int = 0


@dataclass(slots=True)
class Portfolio:
    """One learner's portfolio. People are user keys; `learner` is the learner's row.

    A `lean` portfolio has what measurements with a large cohort need: few texts, one file, and few but large pieces of
    evidence. `history` collects the entries of the audit trail; None collects none.
    """

    rows: Rows
    rng: random.Random
    today: dt.date
    provider: int
    learner: dict[str, Any]
    name: str
    aims: list[AimPlan]
    managers: list[int] = field(default_factory=list)
    overviews: list[int] = field(default_factory=list)
    lean: bool = False
    # Whether formal reviews have taken place.
    reviewed: bool = True
    history: list[HistoryEntry] | None = None
    # The roles that the provider requires on a unit.
    signing_roles: frozenset[Role] = frozenset({Role.ASSESSOR})

    @property
    def owner(self) -> dict[str, int]:
        """The columns that every record of the learner has."""
        return {"provider_id": self.provider, "learner_id": self.learner["id"]}

    @property
    def assessor(self) -> int:
        """The training adviser, who is the first aim's assessor."""
        return self.aims[0].assessor

    @property
    def active(self) -> bool:
        """Whether the learner is in training."""
        return any(aim.status is AimStatus.IN_TRAINING for aim in self.aims)

    @property
    def away_since(self) -> dt.date | None:
        """The first day of a break that has not ended; None for a learner who is not on one."""
        return next((each.start for aim in self.aims for each in aim.breaks if each.returned is None), None)

    @property
    def settled(self) -> dt.date:
        """The last day whose work is assessed: what follows from it a day later is still in the past."""
        return self.today - dt.timedelta(days=3)

    @property
    def first_day(self) -> dt.date:
        """The day on which the first aim starts."""
        return min(aim.start for aim in self.aims)

    @property
    def last_day(self) -> dt.date:
        """The last day with records: a few days ago, or the day on which the learner finished, left or went away."""
        last = min(max(aim.actual_end or self.settled for aim in self.aims), self.settled)
        return last if self.away_since is None else min(last, self.away_since - dt.timedelta(days=1))

    def working_hour(self, day: dt.date) -> dt.datetime:
        """A random time in the working hours of a day."""
        return london_time(day, self.rng.randint(8, 16), self.rng.randint(0, 59))

    def add_file(self, sample: SampleFile, at: dt.datetime, by: int, aim: int | None = None) -> dict[str, Any]:
        """The row of a file that belongs to the learner."""
        return self.rows.add_file(sample, at, uploaded_by_id=by, aim_id=aim, **self.owner)

    def log(
        self, at: dt.datetime, actor: int | None, role: Role, action: str, subject_type: str, subject_key: int,
        subject_part: int | None = None, aim: int | None = None, **detail: Any,
    ) -> None:  # fmt: skip
        """Adds an entry to the history."""
        if self.history is not None:
            learner = self.learner["id"]
            self.history.append(
                HistoryEntry(at, actor, role, action, subject_type, subject_key, subject_part, learner, aim, detail)
            )
