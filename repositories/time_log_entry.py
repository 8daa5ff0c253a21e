"""Reads of the time log within a write transaction: the minutes of a day, and entries to approve."""

import datetime as dt
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Date, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.direct_statements import send
from db.models.aim import Aim
from db.models.base import Key
from db.models.time_log_entry import TimeLogEntry
from db.sql.any_of import any_of
from db.sql.off_the_job import off_the_job_reason
from domain.enums import OffTheJobExclusionReason, Role

# The most minutes that one learner's entries of one day may add up to.
MINUTES_PER_DAY = 1440


async def minutes_on(session: AsyncSession, learner_key: int, day: dt.date, excluding: int | None = None) -> int:
    """Returns the minutes logged for a learner on a day, over all entries except the entry `excluding`.

    The caller holds a lock on the learner, so that no other transaction logs time before this one commits.
    """
    # unscoped: the learner was read within the viewer's scope, and every entry counts towards the day's 24 hours
    statement = select(func.coalesce(func.sum(TimeLogEntry.minutes), 0)).where(
        TimeLogEntry.learner_id == learner_key, TimeLogEntry.date == day, TimeLogEntry.id != (excluding or 0)
    )
    return int((await session.execute(statement)).scalar_one())


class DayOfLearner(NamedTuple):
    """What decides about an entry: the first day of the programme, the minutes of the day, why minutes do not count."""

    first_start: dt.date | None
    minutes: int
    exclusion: OffTheJobExclusionReason | None


async def day_of(
    session: AsyncSession, learner_key: int, aim_key: int | None, day: dt.date, excluding: int | None = None
) -> DayOfLearner:
    """Reads a day of a learner's time log, over all entries except the entry `excluding`, in one statement.

    The exclusion is that of an off-the-job entry of the aim, or of none. The caller holds a lock on the learner.
    """
    parameters: dict[str, Any] = {"learner": learner_key, "day": day, "excluding": excluding or 0}
    if aim_key is not None:
        parameters["aim"] = aim_key
    (row,) = await send(session, _day(aim_key is not None), parameters)
    exclusion = None if row.exclusion is None else OffTheJobExclusionReason(row.exclusion)
    return DayOfLearner(row.first_start, int(row.minutes), exclusion)


@cached_statement
def _day(has_aim: bool) -> Select[Any]:
    learner, day = bindparam("learner", type_=Key), bindparam("day", type_=Date())
    # unscoped: the learner was read within the viewer's scope, another assessor's aim and every entry count too
    first_start = select(func.min(Aim.start_date)).where(Aim.learner_id == learner)
    # unscoped: the learner was read within the viewer's scope, and every entry counts
    minutes = select(func.coalesce(func.sum(TimeLogEntry.minutes), 0)).where(
        TimeLogEntry.learner_id == learner, TimeLogEntry.date == day,
        TimeLogEntry.id != bindparam("excluding", type_=Key),
    )  # fmt: skip
    exclusion = off_the_job_reason(learner, bindparam("aim", type_=Key) if has_aim else None, day)
    return select(
        first_start.scalar_subquery().label("first_start"), minutes.scalar_subquery().label("minutes"),
        exclusion.label("exclusion"),
    )  # fmt: skip


@cached_statement
def _entries(role: Role) -> Select[TimeLogEntry]:
    return (
        select(TimeLogEntry)
        .where(
            any_of(TimeLogEntry.id),
            scope.of_provider(TimeLogEntry),
            scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id),
        )
        # Locks are taken in the order of the keys, so that two transactions with overlapping lists do not deadlock.
        .order_by(TimeLogEntry.id)
        .with_for_update(of=TimeLogEntry, key_share=True)
    )


async def entries_for_write(session: AsyncSession, viewer: Viewer, keys: Collection[int]) -> dict[int, TimeLogEntry]:
    """Returns the entries with those keys that the viewer sees, by key, locked until the transaction ends."""
    found = await session.scalars(await _entries(viewer.role), {**scope.viewer_params(viewer), "keys": sorted(keys)})
    return {entry.id: entry for entry in found}


async def entry_of_session(session: AsyncSession, session_key: int) -> TimeLogEntry | None:
    """Returns the entry that the attendance of a session logged, locked."""
    # unscoped: the session was read within the viewer's scope
    statement = select(TimeLogEntry).where(TimeLogEntry.session_id == session_key)
    return (await session.execute(statement.with_for_update(key_share=True))).scalar_one_or_none()
