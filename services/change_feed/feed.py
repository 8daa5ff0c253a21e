"""The change feed: notifies every server process within a second which learners a commit changed, and what of them.

On SQLite there is one process, whose subscribers are notified after the commit. On PostgreSQL the commits of a process
are notified to all of them a batch at a time (`services.change_feed.publisher`).
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from db.background_task import running
from db.database import Database
from domain.enums import PortfolioPart
from services.change_feed.changes import NOTHING, Changes, read_payload
from services.change_feed.listener import ChangeListener
from services.change_feed.publisher import ChangePublisher
from services.change_feed.shared_reads import LiveReadings

CHANNEL = "waymark_changes"


class Subscriber:
    """One subscriber to a provider's changes, which collect until they are taken."""

    def __init__(self, provider_key: int) -> None:
        self.provider_key = provider_key
        self._changed = NOTHING
        self._wake = asyncio.Event()

    def add(self, changes: Changes) -> None:
        """Adds what changed."""
        self._changed = self._changed.joined(changes)
        self._wake.set()

    async def wait(self) -> None:
        """Waits until there are changes."""
        await self._wake.wait()

    def take(self) -> Changes:
        """Returns what changed since the last call."""
        self._wake.clear()
        changed, self._changed = self._changed, NOTHING
        return changed


class ChangeFeed:
    """Publishes changes to the subscribers in this process and, on PostgreSQL, in all others.

    `listen_url` is where to listen, if the database's own URL leads to a pooler.
    """

    def __init__(self, database: Database, listen_url: str | None = None) -> None:
        self._database = database
        self._subscribers: set[Subscriber] = set()
        self.live = LiveReadings(database)
        self.listener: ChangeListener | None = None
        self.publisher: ChangePublisher | None = None
        if not database.is_sqlite:
            self.publisher = ChangePublisher(database, CHANNEL)
            self.listener = ChangeListener(
                listen_url or database.url, CHANNEL, self._on_notification, self._read_everything
            )

    def is_listening(self) -> bool:
        """Returns whether this process now receives the changes of all processes."""
        return self.listener is None or self.listener.is_connected

    def seal_committed(self, provider_key: int, event_key: int) -> None:
        """Lets an audit event be sealed whose transaction has been committed. On SQLite it is."""
        if self.publisher is not None:
            self.publisher.add_event(provider_key, event_key)

    def notify_committed(
        self, provider_key: int, learner_keys: set[int], parts: Collection[PortfolioPart] = (), moved: bool = True
    ) -> None:
        """Notifies all processes of what a committed transaction has changed; no learners: any of the provider's.

        `moved`: who sees the learners may have changed.
        """
        changed = frozenset(parts)
        changes = Changes(dict.fromkeys(learner_keys, changed), not learner_keys, moved=moved)
        if self.publisher is not None:
            self.publisher.add_changes(provider_key, changes)
        else:
            self._deliver(provider_key, changes)

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
        """On PostgreSQL, publishes what is committed and listens for notifications until the block ends."""
        if self.listener is None or self.publisher is None:
            yield
            return
        async with running(self.listener.listen, "change listener"), self.publisher.publishing():
            yield

    def _read_everything(self) -> None:
        for subscriber in self._subscribers:
            subscriber.add(Changes({}, everything=True))

    def _on_notification(self, payload: str) -> None:
        self._deliver(*read_payload(payload))

    def _deliver(self, provider_key: int, changes: Changes) -> None:
        for subscriber in self._subscribers:
            if subscriber.provider_key == provider_key:
                subscriber.add(changes)
