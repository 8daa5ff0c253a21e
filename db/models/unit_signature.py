"""Signatures on units: who confirmed what, in which role and words, and whether the signature is still valid."""

from sqlalchemy import Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, LongText, PrimaryKey, Timestamp, enum_column, reference
from db.models.growth import Growth
from db.models.personal_data import ErasedInCode, Reason, not_personal, personal
from domain.enums import PortfolioPart, Role


class UnitSignature(Base):
    """A signature on a unit of one learner's aim. A change of the unit's evidence withdraws it; it is not deleted.

    `completes_unit`: with it, every role had signed that the provider required on that day.
    """

    __tablename__ = "unit_signature"
    __part__ = PortfolioPart.UNIT
    __growth__ = Growth.PART
    __table_args__ = (
        # One valid signature for each role: of two concurrent signers one succeeds.
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
    statement: Mapped[LongText] = personal(erased=ErasedInCode("the same words with the name of an erased learner"))
    # Of what was confirmed: the words, and the state of every criterion at that moment.
    content_sha256: Mapped[Digest]
    completes_unit: Mapped[bool] = mapped_column(default=False, server_default=false())
    withdrawn_at: Mapped[Timestamp | None]
    withdrawn_reason: Mapped[str | None] = not_personal(Reason.CODE, String(200))
