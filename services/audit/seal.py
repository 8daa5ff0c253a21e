"""Seals the audit events that transactions have committed without a place in their provider's chain."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, CursorResult, Integer, String, column, select, update
from sqlalchemy import values as values_of
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from services.audit.chain import event_hash, hashed_columns

# Events of one transaction that seals: the end of the chain is locked for some milliseconds.
BATCH = 500


class SealLost(Exception):
    """An event that was to be sealed is not there any more. Nothing was sealed."""


async def seal(session: AsyncSession, provider_key: int, condition: ColumnElement[bool]) -> Sequence[Any]:
    """Gives the unsealed events that meet the condition their places, in the order of their keys; returns them.

    At most `BATCH` of them. In the caller's transaction, which locks the end of the provider's chain: events of other
    processes, of the last version too, come before these or after them. Raises SealLost.
    """
    head = (
        await session.execute(
            select(Provider.audit_sequence, Provider.audit_hash)
            .where(Provider.id == provider_key)
            .with_for_update(key_share=True)
        )
    ).one()
    # After the lock: what another process has sealed meanwhile is not read.
    columns = [AuditEvent.id, *(getattr(AuditEvent, name) for name in hashed_columns())]
    unsealed = (
        select(*columns)
        .where(AuditEvent.provider_id == provider_key, AuditEvent.sequence < 0, condition)
        .order_by(AuditEvent.id)
        .limit(BATCH)
    )
    events = (await session.execute(unsealed)).all()
    if not events:
        return events
    sequence, previous, places = head.audit_sequence, head.audit_hash, []
    for event in events:
        sequence += 1
        values = {**event._mapping, "sequence": sequence, "previous_hash": previous}
        hash_ = event_hash(values)
        places.append((event.id, sequence, previous, hash_))
        previous = hash_
    await _store(session, places)
    await session.execute(
        update(Provider)
        .where(Provider.id == provider_key)
        .values(audit_sequence=sequence, audit_hash=previous)
        .execution_options(synchronize_session=False, autoflush=False)
    )
    return events


async def _store(session: AsyncSession, places: Collection[tuple[int, int, str, str]]) -> None:
    """Stores (key, sequence, previous hash, hash) of each event, in one statement on PostgreSQL."""
    unsealed = update(AuditEvent).where(AuditEvent.sequence < 0)
    unsealed = unsealed.execution_options(synchronize_session=False, autoflush=False)
    if session.get_bind().dialect.name == "sqlite":
        # Only a provider that moved here from PostgreSQL has such events: SQLite names no columns of VALUES.
        statements = [
            unsealed.where(AuditEvent.id == key).values(sequence=sequence, previous_hash=previous, hash=hash_)
            for key, sequence, previous, hash_ in places
        ]
    else:
        place = values_of(
            column("id", BigInteger), column("sequence", Integer), column("previous_hash", String),
            column("hash", String), name="place",
        ).data(list(places))  # fmt: skip
        statements = [
            unsealed.where(AuditEvent.id == place.c.id).values(
                sequence=place.c.sequence, previous_hash=place.c.previous_hash, hash=place.c.hash
            )
        ]
    stored = sum([cast(CursorResult, await session.execute(each)).rowcount for each in statements])
    if stored != len(places):
        raise SealLost
