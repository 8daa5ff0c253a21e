"""Aims with the title of their qualification, their assessor and their progress; the programme of a learner."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, func

from db.cached_statement import cached_statement
from db.models.aim import Aim, AimProgress
from db.models.qualification import Qualification
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import AimOutcome, AimStatus, Role, TrafficLight
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, ManyLoader, OneLoader
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.core.row_properties import computed
from loaders.core.rows import Attributes, LightRow, column, derived, optional, row
from loaders.progress import ProgrammeRow, ProgressRow, aim_progress, programme_of
from loaders.user import UserRow


@row(
    Aim,
    joins=lambda statement: (
        statement.join(Qualification, Qualification.id == Aim.qualification_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .outerjoin(User, User.id == Aim.assessor_id)
    ),
)
class AimRow(LightRow):
    """An aim. `progress` and `traffic_light` are computed from its dates, its counts and the provider's settings."""

    key: int = column(Aim.id)
    learner_key: int = column(Aim.learner_id)
    qualification_key: int = column(Aim.qualification_id)
    title: str = column(Qualification.title)
    status: AimStatus = column(Aim.status)
    assessor: UserRow | None = optional(UserRow, key=Aim.assessor_id)
    iqa_key: int | None = column(Aim.iqa_id)
    start_date: dt.date = column(Aim.start_date)
    planned_end_date: dt.date = column(Aim.planned_end_date)
    actual_end_date: dt.date | None = column(Aim.actual_end_date)
    outcome: AimOutcome | None = column(Aim.outcome)
    original_start_date: dt.date = column(func.coalesce(Aim.original_start_date, Aim.start_date))
    start_date_reason: str | None = column(Aim.start_date_reason)
    updated_at: dt.datetime = column(Aim.updated_at)
    criteria_total: int = column(AimProgress.criteria_total)
    criteria_mapped: int = column(AimProgress.criteria_mapped)
    criteria_signed_off: int = column(AimProgress.criteria_signed_off)
    ended_breaks: int = column(AimProgress.days_on_break)
    break_since: dt.date | None = column(AimProgress.break_since)
    break_periods: str | None = column(AimProgress.breaks)
    chosen_keys: str | None = column(AimProgress.chosen_units)
    units_to_choose: int = column(AimProgress.units_to_choose)
    progress: ProgressRow = derived(
        "status", "start_date", "planned_end_date", "criteria_total", "criteria_mapped", "criteria_signed_off",
        "ended_breaks", "break_since", "units_to_choose",
    )  # fmt: skip
    traffic_light: TrafficLight = derived("progress")

    id = Identifier("Aim", "key")

    @computed("chosen_keys")
    def chosen_units(self) -> frozenset[int]:
        """Returns the keys of the optional units that are chosen for the learner."""
        return frozenset(map(int, (self.chosen_keys or "").split()))

    @classmethod
    def derive(cls, rows: Sequence["AimRow"], reading: ReadSession) -> None:
        rules, today = reading.viewer.rules, reading.today
        tolerance, rated_from = rules.traffic_light_tolerance, rules.rated_from_percent
        for aim in rows:
            aim.progress, aim.traffic_light = aim_progress(
                # The hash of an enum's member is a function in Python.
                aim.status._name_,
                aim.start_date,
                aim.planned_end_date,
                aim.criteria_total,
                aim.criteria_mapped,
                aim.criteria_signed_off,
                aim.ended_breaks,
                aim.break_since,
                aim.units_to_choose,
                today,
                tolerance,
                rated_from,
            )


@cached_statement
def _of_learners(role: Role) -> Select:
    return AimRow.statement(role).where(any_of(Aim.learner_id)).order_by(Aim.learner_id, Aim.id)


class AimLoader(EntityLoader[AimRow]):
    """Loads aims by key. `known` are aims that another loader has read: they are not read again."""

    row = AimRow

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self.known: dict[int, AimRow] = {}

    async def fetch(self, keys: list[int]) -> dict[int, AimRow]:
        unknown = [key for key in keys if key not in self.known]
        return self.known | await super().fetch(unknown) if unknown else self.known


class AimsOfLearnerLoader(ManyLoader[int, AimRow]):
    """Loads the aims of a learner, in the order in which they were added."""

    keys_of = "learner"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._aims = loaders[AimLoader]

    async def fetch(self, keys: list[int]) -> dict[int, list[AimRow]]:
        known = self._aims.known
        found: dict[int, list[AimRow]] = {key: [] for key in keys}
        for aim in await self.reading.read(AimRow, _of_learners(self.reading.viewer.role), ("learner_key",), keys=keys):
            # The fields below an aim (units, criteria) load it by key.
            known[aim.key] = aim
            found[aim.learner_key].append(aim)
        return found


# What a programme is computed from.
PROGRAMME_READS: Attributes = {
    AimRow: (
        "status", "start_date", "planned_end_date", "actual_end_date", "break_periods", "progress", "units_to_choose",
    )
}  # fmt: skip


class ProgrammeLoader(OneLoader[int, ProgrammeRow]):
    """Loads the programme of a learner from the list of their aims, without a read of its own."""

    keys_of = "learner"
    other_rows = PROGRAMME_READS

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._aims = loaders[AimsOfLearnerLoader]

    async def fetch(self, keys: list[int]) -> dict[int, ProgrammeRow]:
        lists = await self._aims.load_many(keys)
        today, rules = self.reading.today, self.reading.viewer.rules
        return {key: programme_of(aims, today, rules) for key, aims in zip(keys, lists, strict=True)}
