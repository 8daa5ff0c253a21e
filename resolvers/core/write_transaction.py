"""A write transaction: the change together with its audit event, its e-mails and the notification of subscribers.

Mutations of an entity use it through `UnitOfWork`. Changes of an account, which may happen before anyone is signed in
(login, password reset), open one directly:

    async with account_transaction(context, "logout") as transaction:
        await end_session(transaction.session, …)
        transaction.audit(user.provider_id, user.id, role)
"""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.flush import flush
from db.history import daily_rows
from db.inserted_row import insert_row, insert_rows
from db.models.base import Base
from db.models.change_reason import ChangeReason
from db.models.outbox import outbox_mail
from db.models.user import User
from domain import clock, global_id
from domain.enums import Role
from domain.mail import Mail
from resolvers.core.context import Context
from services.audit.append import append_unsealed
from services.change_feed.changed_parts import changed_parts, moved_learners, note_write

log = structlog.get_logger(__name__)


class WriteTransaction:
    """One write transaction of a request. `action` names the mutation in the audit event."""

    def __init__(self, context: Context, session: AsyncSession, action: str) -> None:
        self.context = context
        self.services = context.services
        self.session = session
        self.action = action
        self.now = clock.now()
        # The learners whom subscribers are notified about; empty means any of the provider's.
        self.changed_learners: set[int] = set()
        # The columns of the audit events, each with the reason that a person gave.
        self._events: list[tuple[dict[str, Any], str | None]] = []
        # Provider and key of each event that was written.
        self._written: list[tuple[int, int]] = []
        self._provider_to_notify: int | None = None
        self._has_mail = False
        self._after_commit: list[Callable[[], Awaitable[None]]] = []

    def after_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Registers what runs once the transaction has been committed, before the result is read.

        What fails is logged, and the mutation still succeeds: its change is there, and to try it again would find that.
        """
        self._after_commit.append(callback)

    async def insert(self, entity: type[Base], **values: Any) -> int:
        """Inserts a row that nothing reads again in this transaction; returns its key. `values` are by attribute.

        It becomes no object of the session, which would cost several times the insert.
        """
        note_write(self.session, entity)
        return await insert_row(self.session, entity, values)

    async def insert_all(self, entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
        """Inserts rows with values of the same attributes, as `insert` does, in one statement."""
        note_write(self.session, entity)
        await insert_rows(self.session, entity, rows)

    async def finish(self) -> None:
        """Writes the history and the audit events, as the last statements before the commit.

        The events come last, because on SQLite they are appended to the provider's audit chain.
        """
        await flush(self.session)
        await daily_rows.record(self.session)
        for event, reason in self._events:
            key = await append_unsealed(self.session, event)
            self._written.append((event["provider_id"], key))
            if reason is not None:
                self.session.add(
                    ChangeReason(
                        audit_event_id=key, provider_id=event["provider_id"], learner_id=event.get("learner_id"),
                        reason=reason,
                    )
                )  # fmt: skip
                await self.session.flush()

    async def committed(self) -> None:
        """Does what follows the commit.

        Lets its audit events be sealed, notifies subscribers, wakes the mail sender, runs the registered callbacks.
        """
        changes = self.services.changes
        for provider_key, event_key in self._written:
            changes.seal_committed(provider_key, event_key)
        if self._provider_to_notify is not None:
            parts, moved = changed_parts(self.session), moved_learners(self.session)
            changes.notify_committed(self._provider_to_notify, self.changed_learners, parts, moved)
        if self._has_mail:
            self.services.mail.wake()
        for callback in self._after_commit:
            try:
                await callback()
            except Exception as error:
                # The class and not the message, which may quote a row.
                log.error("after_commit_failed", action=self.action, cause=type(error).__name__)

    def _add_event(
        self, provider_key: int, actor_key: int | None, role: Role | None, reason: str | None = None, **columns: Any
    ) -> None:
        event = {
            "provider_id": provider_key,
            "at": self.now,
            "actor_id": actor_key,
            "role": role,
            "action": self.action,
            "address": self.context.client.address,
            "request_id": self.context.client.request_id,
            **columns,
        }
        self._events.append((event, reason))

    def _notify(self, provider_key: int) -> None:
        self._provider_to_notify = provider_key

    def wake_mail_sender(self) -> None:
        """Lets the mail sender look for work after the commit."""
        self._has_mail = True

    def link_to(self, type_name: str, key: int) -> str:
        """Returns the link that opens a record in the user's frontend."""
        return f"{self.services.base_url}/open/{global_id.encode(type_name, key)}"

    def _queue_mail(
        self, provider_key: int, to: str, mail: Mail, sender_key: int | None = None, link: str | None = None
    ) -> None:
        """Adds an e-mail to the outbox. One without a link gets `link` or that of the start page."""
        if self.services.base_url not in mail.body:
            footer = f"\nOpen it in Waymark:\n{link}\n" if link else f"\nOpen Waymark:\n{self.services.base_url}/\n"
            mail = dataclasses.replace(mail, body=mail.body + footer)
        if mail.unsubscribe_url is not None:
            ending = f"\nTo stop e-mails of this kind:\n{mail.unsubscribe_url}\n"
            mail = dataclasses.replace(mail, body=mail.body + ending)
        self.session.add(outbox_mail(provider_key, to, mail, self.now, sender_key))
        self._has_mail = True


class AccountTransaction(WriteTransaction):
    """A change of one user's account, by that user."""

    def audit(
        self,
        provider_key: int,
        user_key: int,
        role: Role | None,
        subject: tuple[str, int] | None = None,
        /,
        **detail: Any,
    ) -> None:
        """Records the audit event of the change; `role` is None where the user is not signed in.

        `subject`: the type and key of the record that changed, where that is not the user.
        """
        type_name, key = subject or ("User", user_key)
        self._add_event(provider_key, user_key, role, subject_type=type_name, subject_key=key, detail=detail)

    def send_mail(self, user: User, mail: Mail) -> None:
        """Sends an e-mail to the user, if the transaction commits."""
        self._queue_mail(user.provider_id, user.email, mail)

    def end_streams(self, provider_key: int) -> None:
        """Notifies the provider's subscribers, so that the streams of ended authentication sessions end."""
        self._notify(provider_key)


@asynccontextmanager
async def account_transaction(context: Context, action: str) -> AsyncIterator[AccountTransaction]:
    """Opens a change of an account: committed at the end of the block, rolled back by an exception."""
    async with context.services.database.writing() as session:
        transaction = AccountTransaction(context, session, action)
        yield transaction
        await transaction.finish()
    await transaction.committed()
