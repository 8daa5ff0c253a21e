"""Who changed: the learners that a commit touched, told to every server process within a second.

On SQLite, where there is one process, subscribers are told after the commit; on PostgreSQL the transaction itself notifies,
so that every process hears of what was committed and of nothing else.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from db.background_task import running
from db.database import Database

log = structlog.get_logger(__name__)

CHANNEL = "waymark_changes"
# A notification holds 8,000 bytes; more learners than this at once are told as "any of them".
_MOST_NAMED = 500
_RETRY_SECONDS = 1.0


class Subscriber:
    """One listener: a set that what changed is added to until it is taken, so a slow one costs no more than the set."""

    def __init__(self, provider_key: int) -> None:
        self.provider_key = provider_key
        self._changed: set[int] = set()
        self._everything = False
        self._wake = asyncio.Event()

    def add(self, learner_keys: Iterable[int], everything: bool) -> None:
        """Adds to what has not been taken yet."""
        self._everything = self._everything or everything or len(self._changed) > _MOST_NAMED
        if self._everything:
            self._changed.clear()
        else:
            self._changed.update(learner_keys)
        self._wake.set()

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._wake.wait()

    def take(self) -> set[int] | None:
        """The learners that changed since the last time, or None for any of the provider's."""
        self._wake.clear()
        changed, everything = self._changed, self._everything
        self._changed, self._everything = set(), False
        return None if everything else changed


class ChangeFeed:
    """The installation's changes, in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: set[Subscriber] = set()

    async def notify_in_transaction(self, session: AsyncSession, provider_key: int, learner_keys: set[int]) -> None:
        """On PostgreSQL: notifies every process, this one too, if and when the transaction commits."""
        if not self._database.is_sqlite:
            named = sorted(learner_keys) if len(learner_keys) <= _MOST_NAMED else None
            payload = json.dumps([provider_key, named], separators=(",", ":"))
            await session.execute(
                text("select pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
            )

    def notify_committed(self, provider_key: int, learner_keys: set[int]) -> None:
        """On SQLite: tells this process, which is the only one."""
        if self._database.is_sqlite:
            self._deliver(provider_key, learner_keys, everything=not learner_keys)

    @asynccontextmanager
    async def subscriber(self, provider_key: int) -> AsyncIterator[Subscriber]:
        """A listener to one provider's changes, for as long as the block lasts."""
        subscriber = Subscriber(provider_key)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hears what other processes commit, for as long as the block lasts. On SQLite there is nothing to hear."""
        if self._database.is_sqlite:
            yield
            return
        async with running(self._listen(), "changes"):
            yield

    async def _listen(self) -> None:
        url = make_url(self._database.url).set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            try:
                connection = await asyncpg.connect(url, timeout=10)
                try:
                    lost = asyncio.get_running_loop().create_future()
                    connection.add_termination_listener(lambda _: lost.done() or lost.set_result(None))
                    await connection.add_listener(CHANNEL, self._on_notification)
                    # What was committed while nobody listened is unknown: whoever waits looks again.
                    for subscriber in self._subscribers:
                        subscriber.add((), True)
                    await lost
                finally:
                    with suppress(Exception):
                        await connection.close(timeout=2)
            except (OSError, asyncpg.PostgresError, TimeoutError, asyncpg.InterfaceError) as error:
                log.warning("changes_not_heard", cause=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        provider_key, learner_keys = json.loads(payload)
        self._deliver(provider_key, learner_keys or (), everything=not learner_keys)

    def _deliver(self, provider_key: int, learner_keys: Iterable[int], everything: bool) -> None:
        for subscriber in self._subscribers:
            if subscriber.provider_key == provider_key:
                subscriber.add(learner_keys, everything)
