"""One learner of the demo while their records are made: the plan of what they have reached, and who belongs to them."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from domain.enums import AimStatus, Role
from services.demo import sample_files as files
from services.demo.bulk_rows import Rows, at
from services.demo.sample_files import Sample

SAMPLES = {
    "wheel": lambda: files.pdf("Wheel build record"),
    "brake": lambda: files.pdf("Brake bleed log"),
    "risk": lambda: files.docx("Risk assessment of my workstation"),
    "account": lambda: files.docx("Reflective account"),
    "photo": files.workstation_photo,
    "rotor": files.rotor_photo,
    "jobs": files.job_cards,
    "measurements": files.measurements,
    "bearings": lambda: files.docx("Workbook: bearings"),
    "batteries": lambda: files.docx("Questions: working safely on batteries"),
    "torque": lambda: files.pdf("Torque chart"),
    "handout": lambda: files.pdf("Handout: handling batteries"),
    "handbook": lambda: files.pdf("Course handbook"),
}


@dataclass(frozen=True, slots=True)
class UnitWords:
    """A unit of a stored qualification, with the keys of its criteria in order."""

    key: int
    number: str
    title: str
    criteria: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QualificationWords:
    """A stored qualification, with its units in order."""

    key: int
    title: str
    units: tuple[UnitWords, ...]

    @property
    def criterion_count(self) -> int:
        return sum(len(unit.criteria) for unit in self.units)


@dataclass(slots=True)
class AimPlan:
    """An aim to be made. `mapped` is the share of its criteria with evidence, `signed` of those met."""

    qualification: QualificationWords
    status: AimStatus
    start: dt.date
    planned_end: dt.date
    assessor: int
    iqa: int | None
    mapped: float = 0.0
    signed: float = 0.0
    actual_end: dt.date | None = None
    key: int = 0


@dataclass(slots=True)
class Portfolio:
    """One learner while their records are made: who they are, who belongs to them, and the rows it all goes into.

    `lean` makes what a large cohort needs to be measured by: few texts, one file, fewer and larger pieces of evidence.
    `history` collects (moment, actor, role, mutation, type, key, part, aim) for the audit trail where it is a list.
    """

    rows: Rows
    random: random.Random
    today: dt.date
    provider: int
    learner: dict[str, Any]
    name: str
    aims: list[AimPlan]
    managers: list[int] = field(default_factory=list)
    overviews: list[int] = field(default_factory=list)
    lean: bool = False
    history: list[tuple] | None = None

    @property
    def mine(self) -> dict[str, int]:
        """What every record of the learner carries."""
        return {"provider_id": self.provider, "learner_id": self.learner["id"]}

    @property
    def assessor(self) -> int:
        """The training adviser who visits: the first aim's."""
        return self.aims[0].assessor

    @property
    def active(self) -> bool:
        return any(aim.status is AimStatus.IN_TRAINING for aim in self.aims)

    @property
    def settled(self) -> dt.date:
        """The last day whose work has been looked at: what follows from it a day later still lies in the past."""
        return self.today - dt.timedelta(days=3)

    @property
    def first_day(self) -> dt.date:
        return min(aim.start for aim in self.aims)

    @property
    def last_day(self) -> dt.date:
        """The last day on which something happened: these days, or when the learner had finished or stopped."""
        return min(max(aim.actual_end or self.settled for aim in self.aims), self.settled)

    def moment(self, day: dt.date) -> dt.datetime:
        """Some moment of a working day."""
        return at(day, self.random.randint(8, 16), self.random.randint(0, 59))

    def file(self, sample: Sample, moment: dt.datetime, by: int, aim: int | None = None) -> dict[str, Any]:
        return self.rows.add_file(sample, moment, uploaded_by_id=by, aim_id=aim, **self.mine)

    def note(
        self, moment: dt.datetime, actor: int, role: Role, action: str, kind: str, key: int, part: int | None = None,
        aim: int | None = None,
    ) -> None:  # fmt: skip
        """A line for the audit trail."""
        if self.history is not None:
            self.history.append((moment, actor, role, action, kind, key, part, self.learner["id"], aim))


async def stored_qualification(session: AsyncSession, key: int) -> QualificationWords:
    """A qualification as it is stored, with the keys of its units and criteria."""
    title = await session.scalar(select(Qualification.title).where(Qualification.id == key))
    criteria: dict[int, list[int]] = {}
    for row in await session.execute(
        select(QualificationCriterion.unit_id, QualificationCriterion.id)
        .where(QualificationCriterion.qualification_id == key)
        .order_by(QualificationCriterion.position)
    ):
        criteria.setdefault(row.unit_id, []).append(row.id)
    units = await session.execute(
        select(QualificationUnit.id, QualificationUnit.number, QualificationUnit.title)
        .where(QualificationUnit.qualification_id == key)
        .order_by(QualificationUnit.position)
    )
    return QualificationWords(key, title, tuple(UnitWords(*unit, tuple(criteria[unit.id])) for unit in units))
