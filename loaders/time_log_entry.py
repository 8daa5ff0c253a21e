"""The time log: entries by key, in pages with the total of minutes, and by day."""

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Select

from auth import scope
from db.cached_statement import cached_statement
from db.models.time_log_entry import TimeLogEntry
from db.models.time_log_revision import TimeLogRevision
from db.models.user import User
from db.sql import progress as progress_sql
from db.sql.any_of import any_of
from domain.enums import ActivityType, JobSetting, OffTheJobExclusionReason, Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, ManyLoader
from loaders.core.filters import at_least, at_most, changed_since, equals, refers_to
from loaders.core.paged_list import PagedList, Shapes
from loaders.core.pagination import Order
from loaders.core.registry import Loaders
from loaders.core.rows import LightRow, column, optional, row
from loaders.employer import at_employer
from loaders.user import UserRow


@row(TimeLogEntry, joins=lambda statement: statement.outerjoin(User, User.id == TimeLogEntry.assessor_id))
class TimeLogEntryRow(LightRow):
    """An entry of a time log. `assessor` is None for learning without an assessor."""

    key: int = column(TimeLogEntry.id)
    learner_key: int = column(TimeLogEntry.learner_id)
    date: dt.date = column(TimeLogEntry.date)
    activity_type: ActivityType = column(TimeLogEntry.activity_type)
    job_setting: JobSetting = column(TimeLogEntry.job_setting)
    minutes: int = column(TimeLogEntry.minutes)
    aim_key: int | None = column(TimeLogEntry.aim_id)
    unit_key: int | None = column(TimeLogEntry.unit_id)
    comments: str = column(TimeLogEntry.comments)
    automatic: bool = column(TimeLogEntry.automatic)
    session_key: int | None = column(TimeLogEntry.session_id)
    added_by_key: int = column(TimeLogEntry.added_by_id)
    approved_by_key: int | None = column(TimeLogEntry.approved_by_id)
    approved_at: dt.datetime | None = column(TimeLogEntry.approved_at)
    exclusion: OffTheJobExclusionReason | None = column(TimeLogEntry.exclusion)
    employer_confirmed_at: dt.datetime | None = column(TimeLogEntry.employer_confirmed_at)
    updated_at: dt.datetime = column(TimeLogEntry.updated_at)
    assessor: UserRow | None = optional(UserRow, key=TimeLogEntry.assessor_id)

    id = Identifier("TimeLogEntry", "key")


@dataclass(slots=True)
class TimeLogDayRow:
    """A day of the calendar with its entries."""

    date: dt.date
    entries: list[TimeLogEntryRow] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """Returns the total of the day in minutes."""
        return sum(entry.minutes for entry in self.entries)


# `from_` and `to` are the first and the last day, both included.
TIME_LOG = PagedList(
    TimeLogEntryRow,
    Order("date_desc", TimeLogEntry.date, TimeLogEntry.id, "date", descending=True),
    owners={"learner": TimeLogEntry.learner_id},
    filters={
        "aim_id": refers_to("Aim", lambda aim, role: TimeLogEntry.aim_id == aim),
        "job_setting": equals(TimeLogEntry.job_setting),
        "activity_type": equals(TimeLogEntry.activity_type),
        "from_": at_least(TimeLogEntry.date),
        "to": at_most(TimeLogEntry.date),
        "learner_id": refers_to("Learner", lambda learner, role: TimeLogEntry.learner_id == learner),
        "employer_id": refers_to("Employer", at_employer(TimeLogEntry.learner_id)),
        "updated_since": changed_since(TimeLogEntry.updated_at),
    },
    sums={"minutes": progress_sql.total(TimeLogEntry.minutes)},
)


class TimeLogEntryLoader(EntityLoader[TimeLogEntryRow]):
    """Loads entries by key."""

    row = TimeLogEntryRow


@row(TimeLogRevision)
class TimeLogRevisionRow(LightRow):
    """The state of an entry until `changed_by` changed it."""

    entry_key: int = column(TimeLogRevision.entry_id)
    changed_by_key: int = column(TimeLogRevision.changed_by_id)
    changed_at: dt.datetime = column(TimeLogRevision.changed_at)
    date: dt.date = column(TimeLogRevision.date)
    minutes: int = column(TimeLogRevision.minutes)
    job_setting: JobSetting = column(TimeLogRevision.job_setting)
    activity_type: ActivityType = column(TimeLogRevision.activity_type)
    comments: str = column(TimeLogRevision.comments)


@cached_statement
def _revisions(role: Role) -> Select:
    return (
        TimeLogRevisionRow.select(role)
        .join(TimeLogEntry, TimeLogEntry.id == TimeLogRevision.entry_id)
        .where(any_of(TimeLogRevision.entry_id), scope.sees(role, TimeLogEntry))
        .order_by(TimeLogRevision.id.desc())
    )


class RevisionsLoader(ManyLoader[int, TimeLogRevisionRow]):
    """Loads the earlier states of an entry, newest first."""

    keys_of = "time_log_entry"

    async def fetch(self, keys: list[int]) -> dict[int, list[TimeLogRevisionRow]]:
        found: dict[int, list[TimeLogRevisionRow]] = {}
        for revision in await self.reading.read(TimeLogRevisionRow, _revisions(self.reading.viewer.role), keys=keys):
            found.setdefault(revision.entry_key, []).append(revision)
        return found


@cached_statement
def _by_day(role: Role, shapes: Shapes) -> Select:
    entries = TIME_LOG.statement(role, shapes).where(any_of(TimeLogEntry.learner_id))
    return entries.order_by(TimeLogEntry.date, TimeLogEntry.id)


class CalendarLoader(ManyLoader[int, TimeLogDayRow]):
    """Loads the days of a learner that have entries, earliest first.

    `values` are those of the filters of `TIME_LOG`, as sorted pairs of name and value.
    """

    keys_of = "learner"

    def __init__(self, loaders: Loaders, values: tuple[tuple[str, object], ...] = ()) -> None:
        super().__init__(loaders)
        self._shapes = TIME_LOG.shapes(dict(values))
        self._parameters = TIME_LOG.parameters(dict(values), self.reading)

    async def fetch(self, keys: list[int]) -> dict[int, list[TimeLogDayRow]]:
        statement, own = _by_day(self.reading.viewer.role, self._shapes), ("learner_key", "date")
        found: dict[int, list[TimeLogDayRow]] = {}
        for entry in await self.reading.read(TimeLogEntryRow, statement, own, keys=keys, **self._parameters):
            days = found.setdefault(entry.learner_key, [])
            if not days or days[-1].date != entry.date:
                days.append(TimeLogDayRow(entry.date))
            days[-1].entries.append(entry)
        return found
