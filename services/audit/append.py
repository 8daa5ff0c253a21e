"""Appends an event to the audit trail."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from services.audit.chain import event_hash


async def append(session: AsyncSession, event: AuditEvent) -> None:
    """Appends the event to its provider's trail, in the caller's transaction.

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
