"""Aims: each with its qualification's title, its people and its sums, in one statement however many learners."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Row, Select, select
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
    assessor: UserRow | None
    iqa: UserRow | None
    start_date: dt.date
    planned_end_date: dt.date
    actual_end_date: dt.date | None
    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    reading: Reading

    @property
    def id(self) -> str:
        """The id in the graph."""
        return ids.encode("Aim", self.key)

    @property
    def progress(self) -> ProgressRow:
        """The three bars."""
        today = self.reading.today
        return ProgressRow(
            self.criteria_total,
            self.criteria_mapped,
            self.criteria_signed_off,
            progress.duration_tenths(self.start_date, self.planned_end_date, today),
            progress.is_past_planned_end(self.status, self.planned_end_date, today),
        )

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


def _row(row: Row, reading: Reading) -> AimRow:
    (key, learner, qualification, title, status, assessor, assessor_name, iqa, iqa_name, *dates_and_sums) = row
    return AimRow(
        key,
        learner,
        qualification,
        title,
        status,
        user_or_none(assessor, assessor_name),
        user_or_none(iqa, iqa_name),
        *dates_and_sums,
        reading,
    )


class AimLoader(OneLoader[int, AimRow]):
    """Aims by key."""

    async def fetch(self, keys: list[int]) -> dict[int, AimRow]:
        rows = await self.reading.rows(_aims(self.reading.viewer.role, False), keys=keys)
        return {row.id: _row(row, self.reading) for row in rows}


class AimsOfLearnerLoader(ManyLoader[int, AimRow]):
    """A learner's aims, in the order in which they were added."""

    def __init__(self, reading: Reading, aims: AimLoader) -> None:
        super().__init__(reading)
        self._aims = aims

    async def fetch(self, keys: list[int]) -> dict[int, list[AimRow]]:
        found: dict[int, list[AimRow]] = {}
        for row in await self.reading.rows(_aims(self.reading.viewer.role, True), keys=keys):
            aim = _row(row, self.reading)
            # What hangs on an aim (units, criteria) asks for it by key: it is here already.
            self._aims.prime(aim.key, aim)
            found.setdefault(aim.learner_key, []).append(aim)
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
