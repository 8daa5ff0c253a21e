"""What of off-the-job time is read only if it is selected: exclusions, months without learning, the policy."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, String, and_, cast, func, null, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import AimProgress
from db.models.learner import Learner
from db.models.off_the_job_policy import OffTheJobPolicy
from db.models.time_log_entry import TimeLogEntry
from db.sql.any_of import any_of
from domain.breaks import AimSpan, parse_periods
from domain.enums import AimStatus, JobSetting, KpiGroupBy, OffTheJobExclusionReason, Role
from domain.off_the_job import months_without_learning
from loaders.aggregates import GroupBy, learner_of
from loaders.aim import AimLoader, AimRow, AimsOfLearnerLoader
from loaders.core.dataloader import BaseLoader
from loaders.core.registry import Loaders
from loaders.core.rows import Attributes, LightRow, column, row
from loaders.kpi_slice import Shapes, Slice, slice_of
from loaders.off_the_job import Owner


@dataclass(slots=True)
class ExclusionRow:
    """Logged minutes that do not count, for one reason."""

    reason: OffTheJobExclusionReason
    minutes: int


@dataclass(slots=True)
class MonthRow:
    """The off-the-job minutes of one month, as YYYY-MM: those that count, and all."""

    month: str
    actual_minutes: int = 0
    logged_minutes: int = 0


@dataclass(slots=True)
class LearningRow:
    """The off-the-job entries of an owner: what is excluded, and when there was learning that counts."""

    excluded: list[ExclusionRow] = field(default_factory=list)
    last_learning_on: dt.date | None = None
    # By month, as YYYY-MM, those with entries only.
    months: dict[str, MonthRow] = field(default_factory=dict)

    @property
    def by_month(self) -> list[MonthRow]:
        """Returns the months with entries, the earliest first."""
        return [self.months[month] for month in sorted(self.months)]

    @property
    def learned(self) -> list[str]:
        """Returns the months with minutes that count."""
        return [each.month for each in self.months.values() if each.actual_minutes]


@cached_statement
def _learning(role: Role, group_by: GroupBy | KpiGroupBy, shapes: Shapes = ()) -> Select[Any]:
    month = func.substr(cast(TimeLogEntry.date, String), 1, 7)
    columns = (
        TimeLogEntry.exclusion,
        month.label("month"),
        func.sum(TimeLogEntry.minutes).label("minutes"),
        func.max(TimeLogEntry.date).label("last"),
    )
    statement = select(*columns).where(
        scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id),
        scope.of_provider(TimeLogEntry),
        TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB,
    )
    key: Any
    match group_by:
        case GroupBy.VIEWER:
            return statement.add_columns(null().label("owner_key")).group_by(TimeLogEntry.exclusion, month)
        case GroupBy.AIM:
            key = TimeLogEntry.aim_id
        case GroupBy.LEARNER:
            key = TimeLogEntry.learner_id
        case GroupBy.EMPLOYER:
            key = Learner.employer_id
            statement = statement.join(Learner, learner_of(TimeLogEntry.learner_id))
        case GroupBy.REVIEW:
            raise ValueError("the figures of an issued review are stored with it")
        case _:
            _, members = slice_of(role, group_by, shapes)
            of_aim = members.c.aim_id == func.coalesce(TimeLogEntry.aim_id, 0)
            statement = statement.join(members, and_(members.c.learner_id == TimeLogEntry.learner_id, of_aim))
            key = members.c.group_key
    return statement.add_columns(key.label("owner_key")).where(any_of(key)).group_by(key, TimeLogEntry.exclusion, month)


class LearningLoader(BaseLoader[Owner, LearningRow]):
    """Loads exclusions and months of learning, by owner. Owners of one kind are read in one statement."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._reading = loaders.reading

    async def read(self, keys: list[Owner]) -> list[LearningRow]:
        found: dict[Owner, LearningRow] = {owner: LearningRow() for owner in keys}
        for kind in {kind for kind, _ in keys}:
            role = self._reading.viewer.role
            bound: dict[str, Any] = {}
            if isinstance(kind, Slice):
                statement, bound = _learning(role, kind.by, kind.shapes), dict(kind.values)
            else:
                statement = _learning(role, kind)
            if kind is not GroupBy.VIEWER:
                bound["keys"] = [key for each, key in keys if each == kind]
            excluded: dict[Owner, dict[OffTheJobExclusionReason, int]] = defaultdict(dict)
            for each in await self._reading.rows(statement, **bound):
                owner, minutes = (kind, each.owner_key), int(each.minutes)
                learning = found[owner]
                month = learning.months.setdefault(each.month, MonthRow(each.month))
                month.logged_minutes += minutes
                if each.exclusion is not None:
                    reasons = excluded[owner]
                    reasons[each.exclusion] = reasons.get(each.exclusion, 0) + minutes
                    continue
                month.actual_minutes += minutes
                learning.last_learning_on = max(each.last, learning.last_learning_on or each.last)
            for owner, reasons in excluded.items():
                found[owner].excluded = [
                    ExclusionRow(reason, reasons[reason]) for reason in OffTheJobExclusionReason if reason in reasons
                ]
        return [found[owner] for owner in keys]


@row(AimProgress)
class PolicyRow(LightRow):
    """The policy that gives an aim its required hours."""

    aim_key: int = column(AimProgress.aim_id)
    starts_from: dt.date = column(OffTheJobPolicy.starts_from)
    minimum_hours: int = column(OffTheJobPolicy.minimum_hours)
    floor_hours: int = column(OffTheJobPolicy.floor_hours)
    source: str = column(OffTheJobPolicy.source)
    reference: str | None = column(OffTheJobPolicy.reference)


@cached_statement
def _policies(role: Role) -> Select[Any]:
    # unscoped: the caller has read the aims within the viewer's scope
    return (
        PolicyRow.select(role)
        .join(OffTheJobPolicy, OffTheJobPolicy.id == AimProgress.policy_id)
        .where(any_of(AimProgress.aim_id), scope.of_provider(AimProgress))
    )


# What the loader reads of the aims.
AIMS_READ: Attributes = {AimRow: ("status", "start_date", "actual_end_date", "break_periods")}


class ProgrammeTimeLoader(BaseLoader[Owner, tuple[list[str], PolicyRow | None]]):
    """Loads the months without learning and the policy of an aim or a learner; neither of KPIs.

    The policy of a learner is that of the aim which requires most hours.
    """

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._reading = loaders.reading
        self._learning = loaders[LearningLoader]
        self._aims = loaders[AimLoader]
        self._programmes = loaders[AimsOfLearnerLoader]

    async def read(self, keys: list[Owner]) -> list[tuple[list[str], PolicyRow | None]]:
        aims = {owner: await self._of_owner(owner) for owner in keys}
        wanted = list({aim.key for found in aims.values() for aim in found})
        policies: dict[int, PolicyRow] = {}
        if wanted:
            statement = _policies(self._reading.viewer.role)
            policies = {each.aim_key: each for each in await self._reading.read(PolicyRow, statement, keys=wanted)}
        learning = await self._learning.load_many(keys)
        found = []
        for owner, learned in zip(keys, learning, strict=True):
            spans = [
                AimSpan(aim.start_date, aim.actual_end_date, parse_periods(aim.break_periods)) for aim in aims[owner]
            ]
            of_owner = [policies[aim.key] for aim in aims[owner] if aim.key in policies]
            found.append(
                (
                    months_without_learning(spans, learned.learned, self._reading.today),
                    max(of_owner, key=lambda policy: policy.minimum_hours, default=None),
                )
            )
        return found

    async def _of_owner(self, owner: Owner) -> list[AimRow]:
        kind, key = owner
        if key is None or kind not in (GroupBy.AIM, GroupBy.LEARNER):
            return []
        found = [await self._aims.load(key)] if kind is GroupBy.AIM else await self._programmes.load(key)
        return [aim for aim in found if aim is not None and aim.status is not AimStatus.WITHDRAWN]
