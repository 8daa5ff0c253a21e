"""The hash chain of the audit trail: each event holds the hash of the one before it."""

import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider

# What the first event of a provider's trail holds in place of the hash before it.
EMPTY_TRAIL_HASH = "0" * 64


def event_hash(event: AuditEvent) -> str:
    """SHA-256 of the event in lower-case hexadecimal: of every column but `id` and `hash`, as canonical JSON."""
    columns = [column.key for column in AuditEvent.__table__.columns if column.key not in ("id", "hash")]
    values = {name: _json_value(getattr(event, name)) for name in columns}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _json_value(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return getattr(value, "value", value)


async def audit_chain_heads(session: AsyncSession) -> list[dict[str, object]]:
    """The last event of each provider's trail: `provider` (key), `line` (its sequence number) and `hash`.

    A head that is noted outside the database shows later whether events were cut off the end.
    """
    heads = select(Provider.id, Provider.audit_sequence, Provider.audit_hash).order_by(Provider.id)
    return [{"provider": key, "line": line, "hash": hash_} for key, line, hash_ in await session.execute(heads)]


async def audit_chain_problems(session: AsyncSession) -> AsyncIterator[str]:
    """Yields a sentence for each event that was changed, removed, moved or added."""
    for provider in (await session.execute(select(Provider).order_by(Provider.id))).scalars():
        sequence, previous = 0, EMPTY_TRAIL_HASH
        statement = select(AuditEvent).where(AuditEvent.provider_id == provider.id).order_by(AuditEvent.sequence)
        async for event in await session.stream_scalars(statement.execution_options(yield_per=500)):
            sequence += 1
            if event.sequence != sequence:
                yield f"provider {provider.id}: line {sequence} is missing before line {event.sequence}"
                sequence = event.sequence
            if event.previous_hash != previous:
                yield f"provider {provider.id}: line {event.sequence} does not follow the line before it"
            if event.hash != event_hash(event):
                yield f"provider {provider.id}: line {event.sequence} was changed"
            previous = event.hash
        if (provider.audit_sequence, provider.audit_hash) != (sequence, previous):
            yield (
                f"provider {provider.id}: the trail should end at line {provider.audit_sequence}, "
                f"but ends at line {sequence}"
            )
