"""Access keys: what a write reads of them."""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.access_key import AccessKey


async def active_keys_of(session: AsyncSession, user_key: int, now: dt.datetime) -> int:
    """Returns how many keys of a user are neither revoked nor expired."""
    # unscoped: the viewer's own keys
    active = select(func.count()).where(
        AccessKey.user_id == user_key, AccessKey.revoked_at.is_(None), AccessKey.expires_at > now
    )
    return (await session.execute(active)).scalar_one()
