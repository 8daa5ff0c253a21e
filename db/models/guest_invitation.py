"""Links with which people without an account sign one slot of one document."""

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, PrimaryKey, ShortText, Timestamp, reference
from db.models.growth import Sweep
from db.models.personal_data import LearnerRows
from domain.enums import PortfolioPart


class GuestInvitation(Base):
    """A link that was sent to one address, for one open slot, on the document with one digest.

    The token and the code of the last e-mail are stored as hashes. `ended_at`: it was used, or a newer link replaced
    it.
    """

    __tablename__ = "guest_invitation"
    __part__ = PortfolioPart.SIGNATURE
    __internal__ = True
    __growth__ = Sweep(dt.timedelta(days=30), lambda table, before: table.expires_at < before)
    # The slot has the name and the address for subject access.
    __learner_rows__ = LearnerRows(deleted=True, exported=False)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    slot_id: Mapped[int] = reference("signature_slot.id")
    invited_by_id: Mapped[int] = reference("user_account.id")
    name: Mapped[ShortText]
    email: Mapped[str] = mapped_column(String(254))
    document_sha256: Mapped[Digest]
    token_sha256: Mapped[Digest] = mapped_column(unique=True)
    invited_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp] = mapped_column(index=True)
    opened_at: Mapped[Timestamp | None]
    ended_at: Mapped[Timestamp | None]
    # Hashed with a key of the installation, because a plain hash of so few digits is easily reversed.
    code_mac: Mapped[Digest | None]
    code_expires_at: Mapped[Timestamp | None]
    # How many codes were sent within an hour of `codes_since`.
    codes_sent: Mapped[int] = mapped_column(default=0)
    codes_since: Mapped[Timestamp | None]
