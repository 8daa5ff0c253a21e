"""Aims: each with its qualification's title, its people and its sums, in one statement however many learners."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, select

from auth import scope
from db.models.aim import Aim, AimProgress
from db.models.qualification import Qualification
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import AimStatus, Role, TrafficLight
from domain.global_id import Identifier
from domain.progress import duration_tenths, is_past_planned_end
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.progress import ProgrammeRow, ProgressRow, programme_of
from loaders.user import UserRow, user_or_none


@dataclass(slots=True)
class AimRow:
    """One aim with what its sums make of it."""

    key: int
    learner_key: int
    qualification_key: int
    title: str
    status: AimStatus
    assessor_key: int | None
    assessor_name: str | None
    iqa_key: int | None
    start_date: dt.date
    planned_end_date: dt.date
    actual_end_date: dt.date | None
    # The three bars, and red, amber or green [000] made of them.
    progress: ProgressRow
    traffic_light: TrafficLight

    id = Identifier("Aim", "key")

    @property
    def assessor(self) -> UserRow | None:
        """The assessor, as they came with the aim."""
        return user_or_none(self.assessor_key, self.assessor_name)


@cached_statement
def _aims(role: Role, by_learner: bool) -> Select:
    return (
        select(
            Aim.id,
            Aim.learner_id,
            Aim.qualification_id,
            Qualification.title,
            Aim.status,
            Aim.assessor_id,
            User.name.label("assessor_name"),
            Aim.iqa_id,
            Aim.start_date,
            Aim.planned_end_date,
            Aim.actual_end_date,
            AimProgress.criteria_total,
            AimProgress.criteria_mapped,
            AimProgress.criteria_signed_off,
        )
        .join(Qualification, Qualification.id == Aim.qualification_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .outerjoin(User, User.id == Aim.assessor_id)
        .where(any_of(Aim.learner_id if by_learner else Aim.id), scope.sees_aim(role))
        .order_by(Aim.learner_id, Aim.id)
    )


def _rows(found: Sequence[Row], reading: ReadSession) -> list[AimRow]:
    today, rules = reading.today, reading.viewer.rules
    rows = []
    for *own, total, mapped, signed_off in found:
        status, start, planned_end = own[4], own[8], own[9]
        duration, late = duration_tenths(start, planned_end, today), is_past_planned_end(status, planned_end, today)
        bars = ProgressRow(total, mapped, signed_off, duration, late)
        rows.append(AimRow(*own, bars, bars.light(status is AimStatus.IN_TRAINING, rules)))
    return rows


class AimLoader(OneLoader[int, AimRow]):
    """Aims by key. `known` are those that came with something else: they are not read again."""

    def __init__(self, reading: ReadSession) -> None:
        super().__init__(reading)
        self.known: dict[int, AimRow] = {}

    async def fetch(self, keys: list[int]) -> dict[int, AimRow]:
        reading, unknown = self.reading, [key for key in keys if key not in self.known]
        if not unknown:
            return self.known
        found = await reading.rows(_aims(reading.viewer.role, False), keys=unknown)
        return self.known | {aim.key: aim for aim in _rows(found, reading)}


class AimsOfLearnerLoader(ManyLoader[int, AimRow]):
    """A learner's aims, in the order in which they were added."""

    def __init__(self, reading: ReadSession, aims: AimLoader) -> None:
        super().__init__(reading)
        self._aims = aims

    async def fetch(self, keys: list[int]) -> dict[int, list[AimRow]]:
        reading, known = self.reading, self._aims.known
        found: dict[int, list[AimRow]] = {key: [] for key in keys}
        for aim in _rows(await reading.rows(_aims(reading.viewer.role, True), keys=keys), reading):
            # What hangs on an aim (units, criteria) asks for it by key: it is here already.
            known[aim.key] = aim
            found[aim.learner_key].append(aim)
        return found


class ProgrammeLoader(OneLoader[int, ProgrammeRow]):
    """A learner's aims taken together; reads nothing that the list of aims has not read."""

    def __init__(self, reading: ReadSession, aims: AimsOfLearnerLoader) -> None:
        super().__init__(reading)
        self._aims = aims

    async def fetch(self, keys: list[int]) -> dict[int, ProgrammeRow]:
        lists = await self._aims.load_many(keys)
        today, rules = self.reading.today, self.reading.viewer.rules
        return {key: programme_of(aims, today, rules) for key, aims in zip(keys, lists, strict=True)}
