"""Web push: the browsers that show a user what waits for them, and the messages that are to be sent to them."""

import datetime as dt

from sqlalchemy import JSON, ColumnElement, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from db.models.auth_session import AuthSession
from db.models.base import Base, Digest, PrimaryKey, Timestamp, reference, reference_without_constraint
from db.models.growth import Sweep
from db.models.personal_data import LearnerRows, Reason, not_personal, personal

# A message is worth nothing after this.
MESSAGE_LIFETIME = dt.timedelta(days=1)


def _of_ended_session(table: type["PushSubscription"], before: dt.datetime) -> ColumnElement[bool]:
    ended = or_(AuthSession.ended_at < before, AuthSession.expires_at < before)
    # unscoped: the server deletes what has ended, without a viewer
    return table.sign_in_id.in_(select(AuthSession.id).where(ended))


class PushSubscription(Base):
    """A browser to which messages are sent while its authentication session lasts."""

    __tablename__ = "push_subscription"
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Sweep(dt.timedelta(0), _of_ended_session)
    __stays__ = "the browser subscribed at this installation"

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    sign_in_id: Mapped[int] = reference("sign_in.id")
    # Where the push service takes messages for the browser. Who knows it and a key can send to it, nothing else.
    endpoint: Mapped[str] = personal(String(1000), erased="")
    endpoint_sha256: Mapped[Digest] = mapped_column(index=True)
    # The keys of the browser, with which messages are encrypted.
    p256dh: Mapped[str] = personal(String(100), erased="", exported=False)
    auth: Mapped[str] = personal(String(40), erased="", exported=False)
    # The id of the installation's key that the browser subscribed with.
    key_id: Mapped[str] = not_personal(Reason.CODE, String(100))
    created_at: Mapped[Timestamp]
    # Up to when the tasks that arose were sent.
    notified_at: Mapped[Timestamp]
    last_sent_at: Mapped[Timestamp | None]


class PushMessage(Base):
    """A message that is to be sent to a browser; deleted once it was sent, or is not tried again."""

    __tablename__ = "push_message"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __growth__ = Sweep(MESSAGE_LIFETIME, lambda table, before: table.created_at < before)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    subscription_id: Mapped[int] = reference_without_constraint("push_subscription", index=True)
    # A message replaces an earlier one with the same topic that the browser has not shown yet.
    topic: Mapped[str] = not_personal(Reason.CODE, String(40))
    # What the service worker of the app gets.
    content: Mapped[dict[str, str]] = not_personal(Reason.CODE, JSON)
    created_at: Mapped[Timestamp] = mapped_column(index=True)
    due_at: Mapped[Timestamp] = mapped_column(index=True)
    leased_until: Mapped[Timestamp | None]
    attempts: Mapped[int] = mapped_column(default=0)
