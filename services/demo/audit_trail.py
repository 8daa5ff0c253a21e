"""The audit trail of what the demo's people did: sealed line by line in the order of time, like one that grew."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from services.audit.chain import event_hash


async def build_audit_trail(session: AsyncSession, provider_id: int, history: list[tuple]) -> None:
    """Writes a new provider's trail. `history` holds (moment, actor, role, mutation, type, key, part, learner, aim)."""
    previous, events = "0" * 64, []
    for sequence, line in enumerate(sorted(history, key=lambda line: (line[0], line[4], line[5], line[3])), 1):
        moment, actor, role, action, kind, key, part, learner, aim = line
        event = AuditEvent(
            provider_id=provider_id, sequence=sequence, at=moment, actor_id=actor, role=role, action=action,
            subject_type=kind, subject_key=key, subject_part=part, learner_id=learner, aim_id=aim, detail={},
            address=None, request_id=None, previous_hash=previous,
        )  # fmt: skip
        event.hash = previous = event_hash(event)
        events.append(event)
    session.add_all(events)
    await session.execute(
        update(Provider).where(Provider.id == provider_id).values(audit_sequence=len(events), audit_hash=previous)
    )
