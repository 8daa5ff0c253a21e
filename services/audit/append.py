"""Appends an event to the audit trail: sealed at once, or to be sealed once it is committed.

A sealed event has its place in its provider's chain. To give it one locks the end of the chain until the commit, so on
PostgreSQL the transactions of a server leave that to `services.audit.seal`, and do not wait for each other.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from db.cached_statement import cached_statement
from db.direct_statements import is_postgresql, send
from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from services.audit.chain import event_hash, hashed_columns

# The place of an unsealed event is a number below zero that no other has: of its key, which the statement has just
# drawn, because PostgreSQL evaluates the columns of a row in their order.
_KEY = func.currval(func.pg_get_serial_sequence(AuditEvent.__tablename__, AuditEvent.id.key))
_UNSEALED_PLACE = -1 - func.mod(_KEY, literal(2_000_000_000))
# The columns that an unsealed event has from its writer.
_GIVEN = tuple(name for name in hashed_columns() if name not in ("sequence", "previous_hash"))
_NOTHING: dict[str, Any] = {**dict.fromkeys(_GIVEN), "detail": {}}


async def append(session: AsyncSession, event: AuditEvent) -> None:
    """Appends the event to its provider's chain, in the caller's transaction.

    Call it last in a transaction: it locks the provider's row until the commit, so that events are appended one by one.
    The lock is FOR NO KEY UPDATE: every row written earlier in the transaction holds a key-share lock on the provider
    through its foreign key, and a stronger lock would deadlock two transactions that wait here.
    """
    head = (
        await session.execute(
            select(Provider.audit_sequence, Provider.audit_hash)
            .where(Provider.id == event.provider_id)
            .with_for_update(key_share=True)
        )
    ).one()
    event.sequence, event.previous_hash = head.audit_sequence + 1, head.audit_hash
    event.detail = event.detail or {}
    event.hash = event_hash(event)
    session.add(event)
    await session.execute(
        update(Provider)
        .where(Provider.id == event.provider_id)
        .values(audit_sequence=event.sequence, audit_hash=event.hash)
        .execution_options(synchronize_session=False, autoflush=False)
    )


async def append_unsealed(session: AsyncSession, columns: Mapping[str, Any]) -> int:
    """Writes an event, in the caller's transaction, without a place in the chain and without a lock; returns its key.

    `columns`: those of `AuditEvent`, without its place and hashes. The event does not become an object of the session,
    which would cost more than its insert. On SQLite, whose transactions wait for each other anyway, it is appended to
    the chain.
    """
    if not is_postgresql(session):
        event = AuditEvent(**columns)
        await append(session, event)
        await session.flush()
        return event.id
    ((key,),) = await send(session, _adding_unsealed(), {**_NOTHING, **columns})
    return int(key)


# Built once, as reads are.
@cached_statement
def _adding_unsealed() -> ReturningInsert[int]:
    columns = AuditEvent.__table__.c
    given = {name: bindparam(name, type_=columns[name].type) for name in _GIVEN}
    adding = insert(AuditEvent.__table__).values(**given, sequence=_UNSEALED_PLACE, previous_hash="", hash="")
    return adding.returning(columns.id)
