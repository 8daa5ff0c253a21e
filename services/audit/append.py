"""Appends to the audit trail: each event is sealed with the hash of the one before it."""

import datetime as dt
import hashlib
import json

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider


def event_hash(event: AuditEvent) -> str:
    """SHA-256 over every column of the line but its own hash, in one fixed spelling."""
    columns = {
        column.key: getattr(event, column.key)
        for column in AuditEvent.__table__.columns
        if column.key not in ("id", "hash")
    }
    spelled = {
        name: value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else getattr(value, "value", value)
        for name, value in columns.items()
    }
    text = json.dumps(spelled, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def append(session: AsyncSession, event: AuditEvent) -> None:
    """Seals the line to the end of its provider's chain, in the caller's transaction.

    Called last in a transaction: the provider's row stays locked from here to the commit, so that the chain has one end.
    FOR NO KEY UPDATE: every row that was written refers to the provider, and its share of the key must not stand in the way
    of another transaction that waits here, or two of them would wait for each other.
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
        Provider.__table__.update()
        .where(Provider.id == event.provider_id)
        .values(audit_sequence=event.sequence, audit_hash=event.hash)
    )
