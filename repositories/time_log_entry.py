"""What a change of the time log reads in its transaction: a day's minutes, who is an assessor, what to approve."""

import datetime as dt
from collections.abc import Collection

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.models.time_log_entry import TimeLogEntry
from db.models.user import RoleGrant
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.read_session import cached_statement

# A day has no more minutes than this, over all entries of one learner.
MINUTES_A_DAY = 1440


async def minutes_on(session: AsyncSession, learner_key: int, day: dt.date, but: int | None = None) -> int:
    """The minutes logged for a learner on a day over all entries, except the entry `but`.

    Ask with the learner's row locked: then nobody logs more between the asking and the commit.
    """
    # unscoped: of a learner who was read within scope; a day has 24 hours whoever sees which entries
    statement = select(func.coalesce(func.sum(TimeLogEntry.minutes), 0)).where(
        TimeLogEntry.learner_id == learner_key, TimeLogEntry.date == day, TimeLogEntry.id != (but or 0)
    )
    return int((await session.execute(statement)).scalar_one())


async def is_assessor(session: AsyncSession, user_key: int) -> bool:
    """Whether a user holds the role ASSESSOR."""
    statement = select(RoleGrant.id).where(RoleGrant.user_id == user_key, RoleGrant.role == Role.ASSESSOR)
    return (await session.execute(statement)).scalar_one_or_none() is not None


@cached_statement
def _entries(role: Role) -> Select:
    return (
        select(TimeLogEntry)
        .where(
            any_of(TimeLogEntry.id),
            scope.of_provider(TimeLogEntry),
            scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id),
        )
        .order_by(TimeLogEntry.id)
        # In the order of their keys: two who approve overlapping lists wait for each other, and never both.
        .with_for_update(of=TimeLogEntry, key_share=True)
    )


async def entries_for_write(session: AsyncSession, viewer: Viewer, keys: Collection[int]) -> dict[int, TimeLogEntry]:
    """The entries with those keys that the viewer sees, by key, locked until the transaction ends."""
    found = await session.scalars(_entries(viewer.role), {**scope.viewer_params(viewer), "keys": sorted(keys)})
    return {entry.id: entry for entry in found}
