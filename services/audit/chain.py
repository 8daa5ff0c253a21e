"""Checks that nobody has touched the audit trail: every provider's chain, from its first line to its end."""

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from services.audit.append import event_hash


async def audit_chain_problems(session: AsyncSession) -> AsyncIterator[str]:
    """A sentence for each line that was changed, removed, moved or added; nothing where the chains are whole."""
    for provider in (await session.execute(select(Provider).order_by(Provider.id))).scalars():
        sequence, previous = 0, "0" * 64
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
            yield f"provider {provider.id}: the trail should end at line {provider.audit_sequence}, but ends at {sequence}"
