"""Reads of the time log within a write transaction: the minutes of a day, and entries to approve."""

import datetime as dt
from collections.abc import Collection

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.models.time_log_entry import TimeLogEntry
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.read_session import cached_statement

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
    found = await session.scalars(_entries(viewer.role), {**scope.viewer_params(viewer), "keys": sorted(keys)})
    return {entry.id: entry for entry in found}


async def entry_of_session(session: AsyncSession, session_key: int) -> TimeLogEntry | None:
    """Returns the entry that the attendance of a session logged, locked."""
    # unscoped: the session was read within the viewer's scope
    statement = select(TimeLogEntry).where(TimeLogEntry.session_id == session_key)
    return (await session.execute(statement.with_for_update(key_share=True))).scalar_one_or_none()
