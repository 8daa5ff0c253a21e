"""Outgoing e-mail: written in the transaction that causes it, sent by the server after the commit."""

import datetime as dt

from sqlalchemy import ColumnElement, Index, String, and_, or_
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, LongText, PrimaryKey, ShortText, Timestamp, reference, reference_without_constraint
from db.models.growth import Sweep
from db.models.personal_data import ERASED, DataSubject, LearnerRows, Reason, not_personal, personal
from domain.mail import Mail

# About a week with the sender's waits. After that the row is not tried again, and keeps its last error.
MAX_ATTEMPTS = 36


class OutboxMail(Base):
    """One message to one address, sent at least once.

    Erasure deletes messages to the learner; those to others that name the learner lose their text.
    """

    __tablename__ = "outbox_mail"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Sweep(
        dt.timedelta(days=30),
        lambda table, before: or_(table.sent_at < before, and_(table.attempts >= MAX_ATTEMPTS, table.due_at < before)),
    )
    __table_args__ = (
        Index("ix_outbox_mail_due", "sent_at", "due_at"),
        Index("ix_outbox_mail_sender", "sender_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    kind: Mapped[str] = not_personal(Reason.CODE, String(40))
    to_address: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str | None] = mapped_column(String(254))
    # The user whose words it carries, for the limit of messages a day; NULL for every other kind.
    sender_id: Mapped[int | None] = reference_without_constraint("user_account", erased=True)
    subject: Mapped[ShortText] = personal(erased=ERASED)
    body: Mapped[LongText] = personal(erased=ERASED)
    calendar: Mapped[LongText | None] = personal(erased=None)
    # Where the recipient ends e-mails of this kind.
    unsubscribe_url: Mapped[str | None] = personal(String(500), erased=None)
    created_at: Mapped[Timestamp]
    due_at: Mapped[Timestamp]
    leased_until: Mapped[Timestamp | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[Timestamp | None]
    last_error: Mapped[str | None] = personal(String(500), erased=None)

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """The messages to the learner."""
        to_learner = and_(cls.to_address == subject.email, cls.to_address != "")
        return and_(cls.provider_id == subject.provider_key, to_learner)


def outbox_mail(provider_id: int, to: str, mail: Mail, now: dt.datetime, sender_id: int | None = None) -> OutboxMail:
    """A message to one address, due immediately. `sender_id`: the user who wrote it, if one did."""
    return OutboxMail(
        provider_id=provider_id,
        kind=mail.kind,
        to_address=to,
        reply_to=mail.reply_to,
        sender_id=sender_id,
        subject=mail.subject,
        body=mail.body,
        calendar=mail.calendar,
        unsubscribe_url=mail.unsubscribe_url,
        created_at=now,
        due_at=now,
    )
