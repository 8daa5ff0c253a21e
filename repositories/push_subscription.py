"""Push subscriptions: what writes need of them, and which browsers are due to be notified."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Row, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.viewer import SIGNED_IN
from db.database import Database
from db.models.auth_session import AuthSession
from db.models.push_subscription import PushMessage, PushSubscription
from db.sql.any_of import any_of

# The browsers of a user to which messages may be sent now.
_DEVICES = (
    SIGNED_IN.join(PushSubscription, PushSubscription.sign_in_id == AuthSession.id)
    .with_only_columns(PushSubscription.id, AuthSession.role, PushSubscription.notified_at)
    .where(any_of(PushSubscription.user_id))
    .order_by(PushSubscription.id)
)


async def devices_of(database: Database, user_key: int, now: dt.datetime) -> Sequence[Row[Any]]:
    """Returns id, role and `notified_at` of the browsers of a user to which messages may be sent."""
    return await database.rows(_DEVICES, {"keys": [user_key], "moment": now}, primary=True)


async def note(session: AsyncSession, subscription_key: int, seen: dt.datetime, now: dt.datetime) -> bool:
    """Sets up to when a browser was notified, if it is still what was seen; returns whether it was."""
    # unscoped: the browser that messages go to
    noting = update(PushSubscription).where(PushSubscription.id == subscription_key)
    done: Any = await session.execute(noting.where(PushSubscription.notified_at == seen).values(notified_at=now))
    result: CursorResult[Any] = done
    return result.rowcount == 1


async def note_all(session: AsyncSession, user_key: int, now: dt.datetime) -> None:
    """Sets that a user's browsers need no notice of what arose before now."""
    # unscoped: the viewer's own browsers
    await session.execute(update(PushSubscription).where(PushSubscription.user_id == user_key).values(notified_at=now))


async def replaced(session: AsyncSession, endpoint_sha256: str, auth_session_key: int) -> list[int]:
    """Returns the subscriptions of a browser, and of a session, of which each has one.

    A browser has one endpoint. It may be another user's, who used the browser before and did not sign out.
    """
    same = or_(PushSubscription.endpoint_sha256 == endpoint_sha256, PushSubscription.sign_in_id == auth_session_key)
    # unscoped: the browser of the viewer, also one that another user used
    return list(await session.scalars(select(PushSubscription.id).where(same)))


async def older_of(session: AsyncSession, user_key: int, kept: int) -> list[int]:
    """Returns a user's subscriptions apart from the newest ones."""
    # unscoped: the viewer's own browsers
    newest_first = select(PushSubscription.id).where(PushSubscription.user_id == user_key)
    found = await session.scalars(newest_first.order_by(PushSubscription.id.desc()).offset(kept))
    return list(found)


async def own_with(session: AsyncSession, user_key: int, endpoint_sha256: str) -> list[int]:
    """Returns a user's subscriptions with an endpoint."""
    # unscoped: the viewer's own browsers
    own = select(PushSubscription.id).where(PushSubscription.user_id == user_key)
    return list(await session.scalars(own.where(PushSubscription.endpoint_sha256 == endpoint_sha256)))


async def remove(session: AsyncSession, subscription_keys: Sequence[int]) -> None:
    """Deletes subscriptions, with the messages that wait for them."""
    if not subscription_keys:
        return
    # unscoped: keys that a caller has read
    await session.execute(delete(PushMessage).where(PushMessage.subscription_id.in_(subscription_keys)))
    # unscoped: keys that a caller has read
    await session.execute(delete(PushSubscription).where(PushSubscription.id.in_(subscription_keys)))
