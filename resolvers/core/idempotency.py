"""Idempotency-Key: one effect and one answer, however often a mutation is sent.

The key is kept by the very transaction that has the effect, so that neither is there without the other.
"""

import hashlib
import json
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.viewer import Viewer
from db.models.auth_session import IdempotencyKey
from domain.enums import UserErrorCode
from domain.errors import reject
from resolvers.core.context import Context


async def acquire(
    session: AsyncSession, context: Context, viewer: Viewer, name: str, arguments: dict[str, Any]
) -> str | None:
    """Takes the key for this transaction; the earlier result (JSON) where it was used already for the same thing.

    Of those that race with one key, one goes on and the others wait here for its commit. Refuses with INVALID where the
    key was used for something else.
    """
    key = _key(context, name)
    if key is None:
        return None
    asked = _digest(arguments)
    values = {"user_id": viewer.user_key, "key": key, "request_sha256": asked, "created_at": context.now}
    insert = sqlite_insert if context.services.database.is_sqlite else postgresql_insert
    inserted = await session.execute(insert(IdempotencyKey).values(values).on_conflict_do_nothing())
    if inserted.rowcount:
        return None
    kept = await session.get_one(IdempotencyKey, (viewer.user_key, key), populate_existing=True)
    if kept.request_sha256 != asked:
        raise reject(UserErrorCode.INVALID, "This Idempotency-Key was used for something else. Make a new one.")
    return kept.answer


async def store_result(session: AsyncSession, context: Context, viewer: Viewer, name: str, result: Any) -> None:
    """Keeps the result beside the key, in the transaction that has the effect."""
    key = _key(context, name)
    if key is not None:
        kept = await session.get_one(IdempotencyKey, (viewer.user_key, key))
        kept.answer = json.dumps(result)


def _key(context: Context, name: str) -> str | None:
    # A document may hold several mutations: each has its own place under the key.
    sent = context.client.idempotency_key
    return None if sent is None else f"{context.write_number}:{name}:{sent}"


def _digest(arguments: dict[str, Any]) -> str:
    # Without the password: what can be hashed quickly can be guessed quickly.
    asked = {name: value for name, value in arguments.items() if name != "password"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
