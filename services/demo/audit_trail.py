"""The audit trail of the demo, chained in the order of time like one that the server wrote."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from domain.enums import Role
from services.audit.chain import EMPTY_TRAIL_HASH, event_hash


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What a person of the demo did. The subject is the record of a type and key; a unit of an aim has a part, too.

    `actor` is None for a guest.
    """

    at: dt.datetime
    actor: int | None
    role: Role
    action: str
    subject_type: str
    subject_key: int
    subject_part: int | None
    learner: int
    aim: int | None
    detail: dict[str, Any] = field(default_factory=dict)


async def build_audit_trail(session: AsyncSession, provider_id: int, history: list[HistoryEntry]) -> None:
    """Writes the audit trail of a new provider."""
    previous, events = EMPTY_TRAIL_HASH, []
    ordered = sorted(history, key=lambda entry: (entry.at, entry.subject_type, entry.subject_key, entry.action))
    for sequence, entry in enumerate(ordered, 1):
        event = AuditEvent(
            provider_id=provider_id, sequence=sequence, at=entry.at, actor_id=entry.actor, role=entry.role,
            action=entry.action, subject_type=entry.subject_type, subject_key=entry.subject_key,
            subject_part=entry.subject_part, learner_id=entry.learner, aim_id=entry.aim, detail=entry.detail,
            address=None, request_id=None, previous_hash=previous,
        )  # fmt: skip
        event.hash = previous = event_hash(event)
        events.append(event)
    session.add_all(events)
    await session.execute(
        update(Provider).where(Provider.id == provider_id).values(audit_sequence=len(events), audit_hash=previous)
    )
