"""What a user has taken of a quota: uploads that no record uses, and messages of a day."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.file import File
from db.models.outbox import OutboxMail
from db.models.user import User


@dataclass(frozen=True, slots=True)
class UnusedUploads:
    """Uploads that no record uses: their number and announced bytes, of one user and of the provider."""

    files: int
    size: int
    provider_files: int
    provider_size: int


async def lock_own_account(session: AsyncSession, user_key: int) -> None:
    """Locks the viewer's account until the transaction ends, so that concurrent requests cannot exceed a quota."""
    # unscoped: the viewer's own account
    await session.execute(select(User.id).where(User.id == user_key).with_for_update(key_share=True))


async def unused_uploads(session: AsyncSession, provider_key: int, user_key: int) -> UnusedUploads:
    """Counts them now."""
    own = File.uploaded_by_id == user_key
    # unscoped: numbers of the whole provider, of which no viewer sees any
    counting = select(
        func.coalesce(func.sum(case((own, 1), else_=0)), 0).label("files"),
        func.coalesce(func.sum(case((own, File.size), else_=0)), 0).label("size"),
        func.count().label("provider_files"),
        func.coalesce(func.sum(File.size), 0).label("provider_size"),
    ).where(File.provider_id == provider_key, File.learner_id.is_(None), File.erased_at.is_(None))
    counted = (await session.execute(counting)).one()._mapping
    return UnusedUploads(**{name: int(number) for name, number in counted.items()})


async def messages_since(session: AsyncSession, user_key: int, since: dt.datetime) -> tuple[int, dt.datetime | None]:
    """How many messages a user has sent since then, and when the first of them was sent."""
    # unscoped: the viewer's own messages
    counting = select(func.count(), func.min(OutboxMail.created_at)).where(
        OutboxMail.sender_id == user_key, OutboxMail.created_at > since
    )
    count, first = (await session.execute(counting)).one()
    return count, first
