"""The time log: entries by key, in pages of a learner with their minutes, and day by day for a calendar."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.types import Date

from auth import scope
from db.models.base import Key
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from db.sql import progress as progress_sql
from db.sql.any_of import any_of
from domain.enums import ActivityType, JobSetting, Role
from domain.global_id import Identifier
from loaders.core.learner_list import LearnerList, filtered
from loaders.core.pagination import Order
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.user import UserRow, user_or_none


@dataclass(slots=True)
class TimeLogEntryRow:
    """One stretch of learning on one day. `assessor` is None for No Assessor."""

    key: int
    learner_key: int
    date: dt.date
    activity_type: ActivityType
    job_setting: JobSetting
    minutes: int
    aim_key: int | None
    unit_key: int | None
    comments: str
    automatic: bool
    session_key: int | None
    approved_by_key: int | None
    approved_at: dt.datetime | None
    assessor: UserRow | None

    id = Identifier("TimeLogEntry", "key")


@dataclass(slots=True)
class TimeLogDayRow:
    """One day of the calendar, with what was logged on it."""

    date: dt.date
    entries: list[TimeLogEntryRow] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """The day's sum."""
        return sum(entry.minutes for entry in self.entries)


def _entries(role: Role) -> Select:
    return (
        select(
            TimeLogEntry.id,
            TimeLogEntry.learner_id,
            TimeLogEntry.date,
            TimeLogEntry.activity_type,
            TimeLogEntry.job_setting,
            TimeLogEntry.minutes,
            TimeLogEntry.aim_id,
            TimeLogEntry.unit_id,
            TimeLogEntry.comments,
            TimeLogEntry.automatic,
            TimeLogEntry.session_id,
            TimeLogEntry.approved_by_id,
            TimeLogEntry.approved_at,
            TimeLogEntry.assessor_id,
            User.name.label("assessor_name"),
        )
        .select_from(TimeLogEntry)
        .outerjoin(User, User.id == TimeLogEntry.assessor_id)
        .where(scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id), scope.of_provider(TimeLogEntry))
    )


def _row(row: Row, _: ReadSession | None = None) -> TimeLogEntryRow:
    *own, assessor, assessor_name = row
    return TimeLogEntryRow(*own, user_or_none(assessor, assessor_name))


# The days of `first_day` and `last_day` belong to what is asked.
TIME_LOG: LearnerList[TimeLogEntryRow] = LearnerList(
    TimeLogEntry.learner_id,
    Order("date_desc", TimeLogEntry.date, TimeLogEntry.id, lambda row: row.date, descending=True),
    _entries,
    _row,
    {
        "aim_key": TimeLogEntry.aim_id == bindparam("aim_key", type_=Key),
        "job_setting": TimeLogEntry.job_setting == bindparam("job_setting", type_=TimeLogEntry.job_setting.type),
        "activity_type": TimeLogEntry.activity_type
        == bindparam("activity_type", type_=TimeLogEntry.activity_type.type),
        "first_day": TimeLogEntry.date >= bindparam("first_day", type_=Date),
        "last_day": TimeLogEntry.date <= bindparam("last_day", type_=Date),
    },
    sums=(progress_sql.total(TimeLogEntry.minutes),),
)


@cached_statement
def _by_key(role: Role) -> Select:
    return _entries(role).where(any_of(TimeLogEntry.id))


@cached_statement
def _by_day(role: Role, names: frozenset[str]) -> Select:
    return filtered(TIME_LOG, role, names).order_by(TimeLogEntry.date, TimeLogEntry.id)


class TimeLogEntryLoader(OneLoader[int, TimeLogEntryRow]):
    """Entries by key."""

    async def fetch(self, keys: list[int]) -> dict[int, TimeLogEntryRow]:
        return {row.id: _row(row) for row in await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)}


class CalendarLoader(ManyLoader[int, TimeLogDayRow]):
    """A learner's days on which something was logged, the earliest first; `asked` holds `first_day` and `last_day`."""

    def __init__(self, reading: ReadSession, asked: Mapping[str, Any]) -> None:
        super().__init__(reading)
        self._asked = asked

    async def fetch(self, keys: list[int]) -> dict[int, list[TimeLogDayRow]]:
        statement = _by_day(self.reading.viewer.role, frozenset(self._asked))
        found: dict[int, list[TimeLogDayRow]] = {}
        for row in await self.reading.rows(statement, keys=keys, **self._asked):
            entry = _row(row)
            days = found.setdefault(entry.learner_key, [])
            if not days or days[-1].date != entry.date:
                days.append(TimeLogDayRow(entry.date))
            days[-1].entries.append(entry)
        return found
