"""Reads the stored requests for a link to choose a new password."""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.auth_session import PasswordResetRequest


async def count_recent_requests(session: AsyncSession, network: str, since: dt.datetime) -> int:
    """Returns how many requests came from a network since a time."""
    recent = select(func.count()).where(
        PasswordResetRequest.network == network, PasswordResetRequest.requested_at > since
    )
    return (await session.execute(recent)).scalar_one()


async def unhandled_requests(database: Database, limit: int) -> list[int]:
    """Returns the keys of requests that no link was created for yet, oldest first."""
    statement = select(PasswordResetRequest.id).where(PasswordResetRequest.handled_at.is_(None))
    rows = await database.rows(statement.order_by(PasswordResetRequest.id).limit(limit), primary=True)
    return [row.id for row in rows]


async def lock_unhandled_request(session: AsyncSession, key: int) -> PasswordResetRequest | None:
    """Returns a request, locked; None if another process has handled it."""
    unhandled = select(PasswordResetRequest).where(
        PasswordResetRequest.id == key, PasswordResetRequest.handled_at.is_(None)
    )
    return (await session.execute(unhandled.with_for_update())).scalar_one_or_none()
