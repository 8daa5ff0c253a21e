"""What the senders of e-mails and of push messages have in common: a loop that sends what is due, and its end."""

import asyncio
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from db.outages import CommitOutcomeUnknown, OutageLog

# Seconds between two looks at the outbox while nothing wakes the sender.
POLL_SECONDS = 5.0
# Longer than any attempt may take. After this, another sender takes the rows of one that was killed.
LEASE = dt.timedelta(minutes=3)
FIRST_WAIT = dt.timedelta(seconds=15)
MAX_WAIT = dt.timedelta(hours=6)
SHUTDOWN_SECONDS = 35.0


class OutboxSender(ABC):
    """The sender of one process: `running()` while the server runs, `wake()` after a commit that queued something."""

    # How many are sent at once.
    batch_size = 8

    def __init__(self, name: str, outbox: str) -> None:
        self._name = name
        self._woken = asyncio.Event()
        self._sources: list[Callable[[], Awaitable[None]]] = []
        self._stopping = False
        self.outages = OutageLog(outbox)

    @abstractmethod
    async def send_due(self) -> int:
        """Tries to send up to a batch of what is due and not leased; returns how many it tried.

        Raises SQLAlchemyError or OSError if the database does not answer.
        """

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
