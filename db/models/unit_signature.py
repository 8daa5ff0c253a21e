"""Signatures on units: who confirmed what, in which role, in which words, and whether it still stands."""

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, LongText, PrimaryKey, Timestamp, enum_column, reference
from domain.enums import Role


class UnitSignature(Base):
    """A signature on one learner's unit. Taken back, not deleted, when something new is mapped to the unit."""

    __tablename__ = "unit_signature"
    __table_args__ = (
        # One standing signature a role: of two who sign at once, one wins.
        Index(
            "uq_unit_signature_standing",
            "aim_id",
            "unit_id",
            "role",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id", index=False)
    unit_id: Mapped[int] = reference("qualification_unit.id")
    role: Mapped[Role] = enum_column(Role)
    signed_by_id: Mapped[int] = reference("user_account.id")
    signed_at: Mapped[Timestamp]
    statement: Mapped[LongText]
    # Over what was confirmed: the words and every criterion's state at that moment.
    content_sha256: Mapped[Digest]
    withdrawn_at: Mapped[Timestamp | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(String(200))
