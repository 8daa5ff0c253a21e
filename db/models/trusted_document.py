"""Trusted documents: the operations that the operator has registered, and which version of which client has them."""

import datetime as dt

from sqlalchemy import BigInteger, Date, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, PrimaryKey, ShortText, Timestamp, reference
from db.models.growth import Growth
from db.models.personal_data import Reason, not_personal


class TrustedDocument(Base):
    """The text of a document in its printed form. It is here once for all clients that have it."""

    __tablename__ = "trusted_document"
    __without_provider__ = "it is the installation's: an operator registers it for the clients of all providers"
    __internal__ = True
    __growth__ = Growth.INSTALLATION

    id: Mapped[PrimaryKey]
    sha256: Mapped[Digest] = mapped_column(unique=True)
    text: Mapped[str] = not_personal(Reason.CODE, Text())


class ClientDocument(Base):
    """A document of one version of a client, and the id by which its requests name it; deleted when it is retired."""

    __tablename__ = "client_document"
    __without_provider__ = "it is the installation's: an operator registers it for the clients of all providers"
    __internal__ = True
    __growth__ = Growth.INSTALLATION
    __table_args__ = (UniqueConstraint("client_name", "client_version", "document_id"),)

    id: Mapped[PrimaryKey]
    client_name: Mapped[ShortText] = not_personal(Reason.CODE, String(100))
    client_version: Mapped[ShortText] = not_personal(Reason.CODE, String(100))
    # From the manifest: a hash, in whatever way the tool makes it, or a name.
    document_id: Mapped[ShortText] = not_personal(Reason.CODE, String(200))
    trusted_document_id: Mapped[int] = reference("trusted_document.id")
    added_at: Mapped[Timestamp]
    uses: Mapped[int] = mapped_column(BigInteger, default=0)
    last_used_on: Mapped[dt.date | None] = mapped_column(Date)
