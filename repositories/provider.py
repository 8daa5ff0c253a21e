"""Reads of the provider within a write transaction."""

from sqlalchemy.ext.asyncio import AsyncSession

from db.models.provider import Provider


async def lock_provider(session: AsyncSession, key: int) -> Provider:
    """Returns the provider, locked: one transaction at a time changes its settings or its hierarchy of employers."""
    return await session.get_one(Provider, key, with_for_update={"key_share": True}, populate_existing=True)
