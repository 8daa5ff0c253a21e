"""The audit trail: append-only, one chain a provider, each line sealed with the hash of the one before it."""

from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, Key, PrimaryKey, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from domain.enums import Role


class AuditEvent(Base):
    """One line: who, in which role, when, what, on which record, from where. Never secrets, never the words of a record."""

    __tablename__ = "audit_event"
    __entity__ = Entity("AuditEvent", Visibility.AUDIT_EVENT_ITSELF)
    __table_args__ = (
        UniqueConstraint("provider_id", "sequence"),
        Index("ix_audit_event_subject", "provider_id", "subject_type", "subject_key"),
        Index("ix_audit_event_learner", "learner_id", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    sequence: Mapped[int]
    at: Mapped[Timestamp]
    actor_id: Mapped[int | None] = mapped_column(Key, index=True)
    role: Mapped[Role | None] = enum_column(Role)
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
