"""Aims: each with its qualification's title, its people and its sums, in one statement however many learners."""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from auth import scope
from db import ids, progress
from db.aim import Aim, AimProgress
from db.among import among
from db.enums import AimStatus, Role, TrafficLight
from db.qualification import Qualification
from db.user import User
from loaders.progress import ProgrammeRow, ProgressRow, programme_of
from loaders.reading import ManyLoader, OneLoader, Reading, prepared
from loaders.user import UserRow, user_or_none


@dataclass(slots=True)
class AimRow:
    """One aim with its sums; lights and bars are made of them when somebody asks."""

    key: int
    learner_key: int
    qualification_key: int
    title: str
    status: AimStatus
    assessor_key: int | None
    assessor_name: str | None
    iqa_key: int | None
    iqa_name: str | None
    start_date: dt.date
    planned_end_date: dt.date
    actual_end_date: dt.date | None
    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    reading: Reading
    _progress: ProgressRow | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def id(self) -> str:
        """The id in the graph."""
        return ids.encode("Aim", self.key)

    @property
    def assessor(self) -> UserRow | None:
        """The assessor, as they came with the aim."""
        return user_or_none(self.assessor_key, self.assessor_name)

    @property
    def iqa(self) -> UserRow | None:
        """The internal quality assurer, as they came with the aim."""
        return user_or_none(self.iqa_key, self.iqa_name)

    @property
    def progress(self) -> ProgressRow:
        """The three bars, worked out once."""
        if self._progress is None:
            today = self.reading.today
            self._progress = ProgressRow(
                self.criteria_total,
                self.criteria_mapped,
                self.criteria_signed_off,
                progress.duration_tenths(self.start_date, self.planned_end_date, today),
                progress.is_past_planned_end(self.status, self.planned_end_date, today),
            )
        return self._progress

    @property
    def traffic_light(self) -> TrafficLight:
        """Red, amber or green [000], per aim."""
        return self.progress.light(self.status is AimStatus.IN_TRAINING, self.reading.viewer.rules)


@prepared
def _aims(role: Role, by_learner: bool) -> Select:
    assessor, iqa = aliased(User), aliased(User)
    return (
        select(
            Aim.id,
            Aim.learner_id,
            Aim.qualification_id,
            Qualification.title,
            Aim.status,
            Aim.assessor_id,
            assessor.name.label("assessor_name"),
            Aim.iqa_id,
            iqa.name.label("iqa_name"),
            Aim.start_date,
            Aim.planned_end_date,
            Aim.actual_end_date,
            AimProgress.criteria_total,
            AimProgress.criteria_mapped,
            AimProgress.criteria_signed_off,
        )
        .join(Qualification, Qualification.id == Aim.qualification_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .outerjoin(assessor, assessor.id == Aim.assessor_id)
        .outerjoin(iqa, iqa.id == Aim.iqa_id)
        .where(among(Aim.learner_id if by_learner else Aim.id), scope.sees_aim(role))
        .order_by(Aim.learner_id, Aim.id)
    )


class AimLoader(OneLoader[int, AimRow]):
    """Aims by key. `known` are those that came with something else: they are not read again."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.known: dict[int, AimRow] = {}

    async def fetch(self, keys: list[int]) -> dict[int, AimRow]:
        reading, unknown = self.reading, [key for key in keys if key not in self.known]
        if not unknown:
            return self.known
        rows = await reading.rows(_aims(reading.viewer.role, False), keys=unknown)
        return self.known | {row.id: AimRow(*row, reading) for row in rows}


class AimsOfLearnerLoader(ManyLoader[int, AimRow]):
    """A learner's aims, in the order in which they were added."""

    def __init__(self, reading: Reading, aims: AimLoader) -> None:
        super().__init__(reading)
        self._aims = aims

    async def fetch(self, keys: list[int]) -> dict[int, list[AimRow]]:
        reading, known = self.reading, self._aims.known
        found: dict[int, list[AimRow]] = {key: [] for key in keys}
        for row in await reading.rows(_aims(reading.viewer.role, True), keys=keys):
            aim = AimRow(*row, reading)
            # What hangs on an aim (units, criteria) asks for it by key: it is here already.
            known[aim.key] = aim
            found[aim.learner_key].append(aim)
        return found


class ProgrammeLoader(OneLoader[int, ProgrammeRow]):
    """A learner's aims taken together; reads nothing that the list of aims has not read."""

    def __init__(self, reading: Reading, aims: AimsOfLearnerLoader) -> None:
        super().__init__(reading)
        self._aims = aims

    async def fetch(self, keys: list[int]) -> dict[int, ProgrammeRow]:
        lists = await self._aims.load_many(keys)
        today, rules = self.reading.today, self.reading.viewer.rules
        return {key: programme_of(aims, today, rules) for key, aims in zip(keys, lists, strict=True)}
