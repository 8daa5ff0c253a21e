"""E-mail waiting to go out: written by the transaction that is its reason, sent by the server afterwards."""

import datetime as dt

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, LongText, PrimaryKey, ShortText, Timestamp, reference
from domain.mail import Mail


class OutboxMail(Base):
    """One message to one address; sent at least once."""

    __tablename__ = "outbox_mail"
    __table_args__ = (Index("ix_outbox_mail_due", "sent_at", "due_at"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    kind: Mapped[str] = mapped_column(String(40))
    to_address: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str | None] = mapped_column(String(254))
    subject: Mapped[ShortText]
    body: Mapped[LongText]
    created_at: Mapped[Timestamp]
    due_at: Mapped[Timestamp]
    leased_until: Mapped[Timestamp | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[Timestamp | None]
    last_error: Mapped[str | None] = mapped_column(String(500))


def outbox_mail(provider_id: int, to: str, mail: Mail, now: dt.datetime) -> OutboxMail:
    """A message to one address, due at once."""
    return OutboxMail(
        provider_id=provider_id,
        kind=mail.kind,
        to_address=to,
        reply_to=mail.reply_to,
        subject=mail.subject,
        body=mail.body,
        created_at=now,
        due_at=now,
    )
