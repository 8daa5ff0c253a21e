"""The audit trail: append-only, one chain for each provider, each event sealed with the hash of the event before it."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, String, UniqueConstraint, or_, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    Base,
    Digest,
    Key,
    PrimaryKey,
    Timestamp,
    enum_column,
    reference,
    reference_without_constraint,
)
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import DataSubject, Reason, not_personal
from domain.enums import Role

_UNSEALED = text("sequence < 0")


class AuditEvent(Base):
    """One event: who did what, when, in which role, to which record, from where. Contains no secret and no text of a
    record."""

    __tablename__ = "audit_event"
    __entity__ = Entity("AuditEvent", Visibility.AUDIT_EVENT_ITSELF)
    __growth__ = Growth.APPEND_ONLY
    __table_args__ = (
        UniqueConstraint("provider_id", "sequence"),
        Index("ix_audit_event_subject", "provider_id", "subject_type", "subject_key"),
        Index("ix_audit_event_learner", "learner_id", "id"),
        Index("ix_audit_event_provider", "provider_id", "id"),
        Index("ix_audit_event_unsealed", "provider_id", "id", sqlite_where=_UNSEALED, postgresql_where=_UNSEALED),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    # The place in the chain, from 1; below zero, with empty hashes, until the event is sealed.
    sequence: Mapped[int]
    at: Mapped[Timestamp]
    actor_id: Mapped[int | None] = reference_without_constraint("user_account", index=True)
    role: Mapped[Role | None] = enum_column(Role)
    action: Mapped[str] = not_personal(Reason.CODE, String(60))
    # GraphQL type and key of the record. A unit or criterion has the aim's key, and its own in `subject_part`.
    subject_type: Mapped[str | None] = not_personal(Reason.CODE, String(40))
    subject_key: Mapped[int | None] = mapped_column(Key)
    subject_part: Mapped[int | None] = mapped_column(Key)
    learner_id: Mapped[int | None] = reference_without_constraint("learner")
    aim_id: Mapped[int | None] = reference_without_constraint("aim", index=True)
    # Which fields changed, never to what.
    detail: Mapped[dict[str, Any]] = not_personal(Reason.CODE, JSON, default=dict)
    address: Mapped[str | None] = not_personal(Reason.SEALED, String(60))
    request_id: Mapped[str | None] = not_personal(Reason.SEALED, String(80))
    previous_hash: Mapped[str] = not_personal(Reason.DIGEST, String(64), exported=False)
    hash: Mapped[Digest]

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """Also the events that the learner caused."""
        return or_(cls.learner_id == subject.learner_key, cls.actor_id == subject.user_key)
