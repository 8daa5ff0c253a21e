"""Sends the e-mails in the outbox: each at least once, with backoff, and by one process at a time."""

import asyncio
from collections.abc import Callable

import aiosmtplib
import structlog

from auth.one_time_secrets import KeyRemoved
from db.database import Database
from db.models.outbox import MAX_ATTEMPTS, OutboxMail
from domain import clock
from domain.mail import Mail
from services.mail.messages import CARRIES_SECRET, BadAddress, render_mail
from services.mail.transport import Transport
from services.outbox import OutboxSender, backoff

log = structlog.get_logger(__name__)


class MailSender(OutboxSender[OutboxMail]):
    """Sends the e-mails of the outbox.

    `fill_in(text, address)` puts the secrets of links in place of their references (`auth/one_time_secrets.py`).
    """

    def __init__(
        self, database: Database, transport: Transport, fill_in: Callable[[str, str], str] = lambda text, _: text
    ) -> None:
        waiting = (OutboxMail.sent_at.is_(None), OutboxMail.attempts < MAX_ATTEMPTS)
        super().__init__("mail sender", "outbox", database, OutboxMail, *waiting)
        self._fill_in = fill_in
        self._transport = transport

    async def send_due(self) -> int:
        leased = await self.lease()
        async with asyncio.TaskGroup() as group:
            for row in leased:
                group.create_task(self._send(row))
        return len(leased)

    async def _send(self, row: OutboxMail) -> None:
        try:
            # Only in these: a person's own words must not be taken for a reference.
            body = self._fill_in(row.body, row.to_address) if row.kind in CARRIES_SECRET else row.body
            mail = Mail(row.kind, row.subject, body, row.reply_to, row.calendar, row.unsubscribe_url)
            message = render_mail(
                mail, to=row.to_address, sender=self._transport.sender, number=row.id, created_at=row.created_at
            )
            await self._transport.send(message)
        except BadAddress as error:
            await self._record(row, attempts=MAX_ATTEMPTS, last_error=str(error))
            log.error("mail_delivery_failed", mail=row.id, kind=row.kind, error="bad address")
        except KeyRemoved:
            await self._record(row, attempts=MAX_ATTEMPTS, last_error="the key of its link was removed")
            log.error("mail_delivery_failed", mail=row.id, kind=row.kind, error="key removed")
        except (OSError, aiosmtplib.SMTPException) as error:
            await self._record_failure(row, error)
        else:
            redacted = {"body": "(not kept)"} if row.kind in CARRIES_SECRET else {}
            await self._record(row, sent_at=clock.now(), last_error=None, **redacted)
            log.info("mail_sent", mail=row.id, kind=row.kind, attempts=row.attempts)

    async def _record_failure(self, row: OutboxMail, error: Exception) -> None:
        wait = backoff(row.attempts)
        await self._record(row, due_at=clock.now() + wait, last_error=f"{type(error).__name__}: {error}"[:500])
        # Logs the class of the error only: an SMTP server's response may repeat the address.
        fields = {"mail": row.id, "kind": row.kind, "attempts": row.attempts, "error": type(error).__name__}
        if row.attempts >= MAX_ATTEMPTS:
            log.error("mail_delivery_failed", **fields)
        else:
            log.warning("mail_delivery_delayed", **fields, retry_in=wait.total_seconds())

    async def _record(self, row: OutboxMail, **changes: object) -> None:
        """Ends the lease and stores the result."""
        async with self._database.writing() as session:
            await self.end_lease(session, row, **changes)
