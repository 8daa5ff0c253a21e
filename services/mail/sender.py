"""Sends what waits in the outbox: at least once, with backoff, and by one process at a time."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiosmtplib
import structlog
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.models.outbox import OutboxMail
from domain import clock
from services.mail.messages import CARRIES_SECRET, BadAddress, Mail, render_mail
from services.mail.transport import Transport

log = structlog.get_logger(__name__)

# How many go out at once, and how often the outbox is looked at when nobody wakes the sender (seconds).
AT_ONCE = 8
LOOK_EVERY = 5.0
# Longer than any send may take: a row whose sender was killed is taken up again after this.
LEASE = dt.timedelta(minutes=3)
FIRST_WAIT = dt.timedelta(seconds=15)
LONGEST_WAIT = dt.timedelta(hours=6)
# With these waits about a week; after it the row stays, unsent, with its last error.
MOST_ATTEMPTS = 36
STOP_WITHIN = 35.0


class MailSender:
    """The sender of one process: `async with sender.running()` in the lifespan, `wake()` after a commit with mail."""

    def __init__(self, database: Database, transport: Transport) -> None:
        self._database = database
        self._transport = transport
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something may be due: look now instead of at the next turn."""
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends in the background; at the end, what is just being sent is finished and noted."""
        self._stopping = False
        task = asyncio.create_task(self._run(), name="mail sender")
        try:
            yield
        finally:
            self._stopping = True
            self.wake()
            done, _ = await asyncio.wait([task], timeout=STOP_WITHIN)
            if not done:
                task.cancel()

    async def send_due(self) -> int:
        """Sends up to 8 messages that are due and that nobody else has taken; gives how many it tried.

        Raises SQLAlchemyError or OSError where the database does not answer.
        """
        if not await self._anything_due():
            return 0
        taken = await self._take()
        async with asyncio.TaskGroup() as group:
            for row in taken:
                group.create_task(self._send(row))
        return len(taken)

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                tried = await self.send_due()
            except* (SQLAlchemyError, OSError) as errors:
                log.warning("outbox_unreachable", errors=[type(error).__name__ for error in errors.exceptions])
                tried = 0
            if tried == AT_ONCE or self._stopping:
                continue
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _anything_due(self) -> bool:
        # A read first: on SQLite taking rows needs the write lock, which an idle server should leave to others.
        statement = select(OutboxMail.id).where(*_due(clock.now())).limit(1)  # unscoped: the outbox goes out for all
        return bool(await self._database.rows(statement, primary=True))

    async def _take(self) -> Sequence[OutboxMail]:
        now = clock.now()
        due = (
            select(OutboxMail)  # unscoped: the outbox goes out for all
            .where(*_due(now))
            .order_by(OutboxMail.due_at, OutboxMail.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as session:
            rows = (await session.scalars(due)).all()
            for row in rows:
                row.leased_until = now + LEASE
                row.attempts += 1
        return rows

    async def _send(self, row: OutboxMail) -> None:
        mail = Mail(row.kind, row.subject, row.body, row.reply_to)
        try:
            message = render_mail(
                mail, to=row.to_address, sender=self._transport.sender, number=row.id, created_at=row.created_at
            )
            await self._transport.send(message)
        except BadAddress as error:
            await self._note(row, attempts=MOST_ATTEMPTS, last_error=str(error))
            log.error("mail_given_up", mail=row.id, kind=row.kind, error="bad address")
        except (OSError, aiosmtplib.SMTPException) as error:
            # Only the kind of error: what a server says may repeat the address.
            wait = backoff(row.attempts)
            await self._note(row, due_at=clock.now() + wait, last_error=f"{type(error).__name__}: {error}"[:500])
            last = row.attempts >= MOST_ATTEMPTS
            say = log.error if last else log.warning
            say(
                "mail_given_up" if last else "mail_not_taken",
                mail=row.id,
                kind=row.kind,
                attempts=row.attempts,
                error=type(error).__name__,
                again_in=None if last else wait.total_seconds(),
            )
        else:
            forget = {"body": "(not kept)"} if row.kind in CARRIES_SECRET else {}
            await self._note(row, sent_at=clock.now(), last_error=None, **forget)
            log.info("mail_sent", mail=row.id, kind=row.kind, attempts=row.attempts)

    async def _note(self, row: OutboxMail, **changes: object) -> None:
        """Ends our lease with what came of it; says nothing about a row that somebody else has taken up since."""
        ours = (OutboxMail.id == row.id, OutboxMail.leased_until == row.leased_until)
        async with self._database.writing() as session:
            await session.execute(update(OutboxMail).where(*ours).values(leased_until=None, **changes))


def backoff(attempts: int) -> dt.timedelta:
    """How long to wait after so many attempts (1 or more): 15 s, doubled each time, at most 6 hours."""
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)


def _due(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxMail.sent_at.is_(None),
        OutboxMail.due_at <= now,
        or_(OutboxMail.leased_until.is_(None), OutboxMail.leased_until <= now),
        OutboxMail.attempts < MOST_ATTEMPTS,
    )
