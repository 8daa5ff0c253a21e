"""Documents to sign: a request, with one slot for each role that signs."""

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, LongText, PrimaryKey, ShortText, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import ERASED, Ending, LearnerRows, personal
from db.models.updated_at import updated_at_column
from domain.enums import PortfolioPart, Role, SignatureRequestStatus


class SignatureRequest(Base):
    """A document about a learner that one or more roles must sign."""

    __tablename__ = "signature_request"
    __part__ = PortfolioPart.SIGNATURE
    __learner_rows__ = LearnerRows(
        ended=Ending(
            lambda request: request.status == SignatureRequestStatus.PENDING,
            lambda _: {"status": SignatureRequestStatus.CANCELLED},
        )
    )
    __entity__ = Entity("SignatureRequest", Visibility.DOCUMENT_ITSELF)
    __label__ = ("title",)
    __table_args__ = (
        Index("ix_signature_request_learner", "learner_id", "status", "requested_at", "id"),
        Index("ix_signature_request_updated", "provider_id", "updated_at", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    title: Mapped[ShortText] = personal(erased=ERASED)
    file_id: Mapped[int] = reference("file.id")
    document_sha256: Mapped[Digest]
    status: Mapped[SignatureRequestStatus] = enum_column(SignatureRequestStatus)
    requested_by_id: Mapped[int] = reference("user_account.id")
    requested_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class SignatureSlot(Base):
    """The slot of one role on a document. A conditional update fills it, so that of concurrent signers one succeeds.

    A slot that is signed and has no `signed_by_id` was signed by a guest.
    """

    __tablename__ = "signature_slot"
    __part__ = PortfolioPart.SIGNATURE
    __growth__ = Growth.PART
    __table_args__ = (
        UniqueConstraint("request_id", "role"),
        Index("ix_signature_slot_open", "learner_id", "role", "signed_at"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    request_id: Mapped[int] = reference("signature_request.id", index=False)
    role: Mapped[Role] = enum_column(Role)
    signed_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    signed_at: Mapped[Timestamp | None]
    statement: Mapped[LongText | None] = personal(erased=ERASED)
    document_sha256: Mapped[Digest | None]
    # Of somebody without an account: who signed (the name as they typed it), or to whom the newest link was sent.
    guest_name: Mapped[ShortText | None] = personal(erased=ERASED)
    guest_email: Mapped[str | None] = personal(String(254), erased=ERASED)
    withdrawn_at: Mapped[Timestamp | None]
    withdrawn_reason: Mapped[LongText | None] = personal(erased=None)
