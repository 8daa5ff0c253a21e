"""Idempotency-Key: a mutation that is sent several times with one key has one effect and one result.

The key is stored in the transaction of the effect, so that neither exists without the other.
"""

import hashlib
import json
from typing import Any, cast

from sqlalchemy import CursorResult
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.viewer import Viewer
from db.models.auth_session import IdempotencyKey
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.sentences import say
from resolvers.core.context import Context


async def acquire(
    session: AsyncSession, context: Context, viewer: Viewer, name: str, arguments: dict[str, Any]
) -> str | None:
    """Acquires the key for this transaction, or returns the result (JSON) of an earlier one with the same arguments.

    Transactions with the same key wait here for each other's commit. Rejects with INVALID where the key was used with
    other arguments.
    """
    key = _key(context, name)
    if key is None:
        return None
    digest = _digest(arguments)
    values = {"user_id": viewer.user_key, "key": key, "request_sha256": digest, "created_at": context.now}
    insert = sqlite_insert if context.services.database.is_sqlite else postgresql_insert
    inserted = await session.execute(insert(IdempotencyKey).values(values).on_conflict_do_nothing())
    if cast(CursorResult, inserted).rowcount:
        return None
    stored = await session.get_one(IdempotencyKey, (viewer.user_key, key), populate_existing=True)
    if stored.request_sha256 != digest:
        raise reject(UserErrorCode.INVALID, say("IDEMPOTENCY_KEY_REUSED"))
    return stored.answer


async def store_result(session: AsyncSession, context: Context, viewer: Viewer, name: str, result: Any) -> None:
    """Stores the result with the key, in the transaction of the effect."""
    key = _key(context, name)
    if key is not None:
        stored = await session.get_one(IdempotencyKey, (viewer.user_key, key))
        stored.answer = json.dumps(result)


def _key(context: Context, name: str) -> str | None:
    # A document may contain several mutations, which share the header: each gets a key of its own.
    sent = context.client.idempotency_key
    return None if sent is None else f"{context.write_number}:{name}:{sent}"


def _digest(arguments: dict[str, Any]) -> str:
    # Without the password, because a fast hash of it would make it easy to guess.
    hashed = {name: value for name, value in arguments.items() if name != "password"}
    return hashlib.sha256(json.dumps(hashed, sort_keys=True, default=str).encode()).hexdigest()
