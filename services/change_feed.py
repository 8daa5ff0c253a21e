"""The change feed: tells every server process which learners a commit changed, within a second.

On SQLite there is one process, whose subscribers are notified after the commit. On PostgreSQL the transaction itself
sends a notification, so every process receives each commit and no transaction that was rolled back.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.background_task import running
from db.database import Database
from services.change_listener import ChangeListener

CHANNEL = "waymark_changes"
# A notification carries at most 8,000 bytes; a change of more learners than this is sent as "any learner".
_MAX_LEARNERS = 500


class Subscriber:
    """One subscriber to a provider's changes, which collect in a set until they are taken."""

    def __init__(self, provider_key: int) -> None:
        self.provider_key = provider_key
        self._changed: set[int] = set()
        self._any_learner = False
        self._wake = asyncio.Event()

    def add(self, learner_keys: Iterable[int], any_learner: bool) -> None:
        """Adds changed learners; `any_learner` means that any learner of the provider may have changed."""
        self._any_learner = self._any_learner or any_learner or len(self._changed) > _MAX_LEARNERS
        if self._any_learner:
            self._changed.clear()
        else:
            self._changed.update(learner_keys)
        self._wake.set()

    async def wait(self) -> None:
        """Waits until there are changes."""
        await self._wake.wait()

    def take(self) -> set[int] | None:
        """The learners that changed since the last call, or None for any learner of the provider."""
        self._wake.clear()
        changed, any_learner = self._changed, self._any_learner
        self._changed, self._any_learner = set(), False
        return None if any_learner else changed


class ChangeFeed:
    """Publishes changes to the subscribers in this process and, on PostgreSQL, in all others.

    `listen_url` is where to listen, if the database's own URL leads to a pooler.
    """

    def __init__(self, database: Database, listen_url: str | None = None) -> None:
        self._database = database
        self._subscribers: set[Subscriber] = set()
        self.listener: ChangeListener | None = None
        if not database.is_sqlite:
            self.listener = ChangeListener(
                listen_url or database.url, CHANNEL, self._on_notification, self._read_everything
            )

    def hears(self) -> bool:
        """Returns whether this process is notified of the changes of all processes now."""
        return self.listener is None or self.listener.is_connected

    async def notify_in_transaction(self, session: AsyncSession, provider_key: int, learner_keys: set[int]) -> None:
        """On PostgreSQL: notifies every process, this one too, when the transaction commits."""
        if not self._database.is_sqlite:
            keys = sorted(learner_keys) if len(learner_keys) <= _MAX_LEARNERS else None
            payload = json.dumps([provider_key, keys], separators=(",", ":"))
            await session.execute(
                text("select pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
            )

    def notify_committed(self, provider_key: int, learner_keys: set[int]) -> None:
        """On SQLite: notifies this process, which is the only one."""
        if self._database.is_sqlite:
            self._deliver(provider_key, learner_keys, any_learner=not learner_keys)

    @asynccontextmanager
    async def subscriber(self, provider_key: int) -> AsyncIterator[Subscriber]:
        """Subscribes to one provider's changes until the block ends."""
        subscriber = Subscriber(provider_key)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """On PostgreSQL, listens for notifications until the block ends."""
        if self.listener is None:
            yield
            return
        async with running(self.listener.listen, "change listener"):
            yield

    def _read_everything(self) -> None:
        for subscriber in self._subscribers:
            subscriber.add((), any_learner=True)

    def _on_notification(self, payload: str) -> None:
        provider_key, learner_keys = json.loads(payload)
        self._deliver(provider_key, learner_keys or (), any_learner=not learner_keys)

    def _deliver(self, provider_key: int, learner_keys: Iterable[int], any_learner: bool) -> None:
        for subscriber in self._subscribers:
            if subscriber.provider_key == provider_key:
                subscriber.add(learner_keys, any_learner)
