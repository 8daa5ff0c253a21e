"""The audit trail: append-only, one chain a provider, each line sealed with the hash of the one before it."""

import datetime as dt
import hashlib
import json
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Digest, Key, Moment, PrimaryKey, reference, word
from db.enums import Role
from db.provider import Provider


class AuditEvent(Base):
    """One line: who, in which role, when, what, on which record, from where. Never secrets, never the words of a record."""

    __tablename__ = "audit_event"
    __table_args__ = (
        UniqueConstraint("provider_id", "sequence"),
        Index("ix_audit_event_subject", "provider_id", "subject_type", "subject_key"),
        Index("ix_audit_event_learner", "learner_id", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    sequence: Mapped[int]
    at: Mapped[Moment]
    actor_id: Mapped[int | None] = mapped_column(Key, index=True)
    role: Mapped[Role | None] = word(Role)
    action: Mapped[str] = mapped_column(String(60))
    # The graph's type name and key of the record; units and criteria have the aim's key and their own.
    subject_type: Mapped[str | None] = mapped_column(String(40))
    subject_key: Mapped[int | None] = mapped_column(Key)
    subject_part: Mapped[int | None] = mapped_column(Key)
    learner_id: Mapped[int | None] = mapped_column(Key)
    aim_id: Mapped[int | None] = mapped_column(Key, index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    address: Mapped[str | None] = mapped_column(String(60))
    request_id: Mapped[str | None] = mapped_column(String(80))
    previous_hash: Mapped[Digest]
    hash: Mapped[Digest]


def seal(event: AuditEvent) -> str:
    """SHA-256 over every column of the line but its own hash, in one fixed spelling."""
    columns = {
        column.key: getattr(event, column.key) for column in AuditEvent.__table__.columns if column.key not in ("id", "hash")
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
    event.hash = seal(event)
    session.add(event)
    await session.execute(
        Provider.__table__.update()
        .where(Provider.id == event.provider_id)
        .values(audit_sequence=event.sequence, audit_hash=event.hash)
    )
