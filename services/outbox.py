"""What the senders of e-mails and of push messages have in common: the loop, its end, and who sends which row."""

import asyncio
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.outages import CommitOutcomeUnknown, OutageLog
from domain import clock

# A mapped class with the columns id, due_at, leased_until and attempts.
Message = TypeVar("Message", bound=Any)

# Seconds between two reads of the outbox while nothing wakes the sender.
POLL_SECONDS = 5.0
# Longer than any attempt may take. After this, another sender takes the rows of one that was killed.
LEASE = dt.timedelta(minutes=3)
FIRST_WAIT = dt.timedelta(seconds=15)
MAX_WAIT = dt.timedelta(hours=6)
SHUTDOWN_SECONDS = 35.0


class OutboxSender(ABC, Generic[Message]):
    """The sender of one process: `running()` while the server runs, `wake()` after a commit that queued something.

    `waiting`: what is true of a row of `entity` that is still to be sent, beside its time.
    """

    # How many are sent at once.
    batch_size = 8

    def __init__(
        self, name: str, outbox: str, database: Database, entity: type[Message], *waiting: ColumnElement[bool]
    ) -> None:
        self._name = name
        self._database = database
        self._entity: Any = entity
        self._waiting = waiting
        self._woken = asyncio.Event()
        self._sources: list[Callable[[], Awaitable[None]]] = []
        self._stopping = False
        self.outages = OutageLog(outbox)

    @abstractmethod
    async def send_due(self) -> int:
        """Tries to send up to a batch of what is due and not leased; returns how many it tried.

        Raises SQLAlchemyError or OSError if the database does not answer.
        """

    async def lease(self) -> Sequence[Message]:
        """Returns a batch of what is due, which no other sender takes meanwhile; each with one attempt more."""
        entity, now = self._entity, clock.now()
        is_free = or_(entity.leased_until.is_(None), entity.leased_until <= now)
        due = (entity.due_at <= now, is_free, *self._waiting)
        # A read before the lease: on SQLite a lease needs the write lock, which an idle server should not take.
        # unscoped: sends those of everybody
        if not await self._database.rows(select(entity.id).where(*due).limit(1), primary=True):
            return []
        batch = (
            select(entity)  # unscoped: sends those of everybody
            .where(*due)
            .order_by(entity.due_at, entity.id)
            .limit(self.batch_size)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as session:
            rows = (await session.scalars(batch)).all()
            for row in rows:
                row.leased_until = now + LEASE
                row.attempts += 1
        return rows

    async def end_lease(self, session: AsyncSession, row: Message, **changes: object) -> None:
        """Ends the lease of a row and stores the changes, unless another sender has leased the row since."""
        entity = self._entity
        leased_here = (entity.id == row.id, entity.leased_until == row.leased_until)
        # unscoped: a row that this sender has leased
        await session.execute(update(entity).where(*leased_here).values(leased_until=None, **changes))

    def add_source(self, source: Callable[[], Awaitable[None]]) -> None:
        """Registers a function that queues something; it runs before each read of the outbox."""
        self._sources.append(source)

    def wake(self) -> None:
        """Looks at the outbox now instead of at the next poll."""
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends in the background until the block ends; attempts that are under way by then are finished."""
        self._stopping = False
        task = asyncio.create_task(self._run(), name=self._name)
        try:
            yield
        finally:
            self._stopping = True
            self.wake()
            done, _ = await asyncio.wait([task], timeout=SHUTDOWN_SECONDS)
            if not done:
                task.cancel()

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                for source in self._sources:
                    await source()
                tried = await self.send_due()
                self.outages.worked()
            except* (SQLAlchemyError, OSError, CommitOutcomeUnknown) as errors:
                self.outages.failed(errors)
                tried = 0
            if tried == self.batch_size or self._stopping:
                continue
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass


def backoff(attempts: int) -> dt.timedelta:
    """The wait after this many attempts, counted from 1: 15 s, doubled each time, at most 6 hours."""
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 20), MAX_WAIT)
