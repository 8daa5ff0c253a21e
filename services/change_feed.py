"""The change feed: tells every server process which learners a commit changed, and what of them, within a second.

On SQLite there is one process, whose subscribers are notified after the commit. On PostgreSQL the transaction itself
sends a notification, so every process receives each commit and no transaction that was rolled back.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.background_task import running
from db.database import Database
from domain.enums import PortfolioPart
from services.change_listener import ChangeListener

CHANNEL = "waymark_changes"
# A notification carries at most 8,000 bytes; a change of more learners than this is sent as "any learner".
_MAX_LEARNERS = 500
# In a notification the parts follow the learners, as negative numbers: a process of the last version takes them for
# learners that do not exist.
_PARTS = {-zlib.crc32(part.name.encode()): part for part in PortfolioPart}
_NUMBERS = {part: number for number, part in _PARTS.items()}
ALL_PARTS = frozenset(PortfolioPart)


class Changes(NamedTuple):
    """What changed. `learners`: by key, with the parts of the portfolio; all parts where they are not known.

    `any_learner`: something that concerns any learner, such as the provider's settings or an account. `everything`: it
    is not known what changed.
    """

    learners: dict[int, frozenset[PortfolioPart]]
    any_learner: bool = False
    everything: bool = False


class Subscriber:
    """One subscriber to a provider's changes, which collect until they are taken."""

    def __init__(self, provider_key: int) -> None:
        self.provider_key = provider_key
        self._changed = Changes({})
        self._wake = asyncio.Event()

    def add(self, changes: Changes) -> None:
        """Adds what changed."""
        learners = dict(self._changed.learners)
        for key, parts in changes.learners.items():
            learners[key] = learners.get(key, frozenset()) | (parts or ALL_PARTS)
        everything = self._changed.everything or changes.everything or len(learners) > _MAX_LEARNERS
        any_learner = self._changed.any_learner or changes.any_learner
        self._changed = Changes({} if everything else learners, any_learner, everything)
        self._wake.set()

    async def wait(self) -> None:
        """Waits until there are changes."""
        await self._wake.wait()

    def take(self) -> Changes:
        """Returns what changed since the last call."""
        self._wake.clear()
        changed, self._changed = self._changed, Changes({})
        return changed


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

    async def notify_in_transaction(
        self,
        session: AsyncSession,
        provider_key: int,
        learner_keys: set[int],
        parts: Collection[PortfolioPart] = (),
    ) -> None:
        """On PostgreSQL: notifies every process, this one too, when the transaction commits."""
        if not self._database.is_sqlite:
            keys = None
            if len(learner_keys) <= _MAX_LEARNERS:
                keys = sorted(learner_keys) + [_NUMBERS[part] for part in parts if learner_keys]
            payload = json.dumps([provider_key, keys], separators=(",", ":"))
            await session.execute(
                text("select pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
            )

    def notify_committed(
        self, provider_key: int, learner_keys: set[int], parts: Collection[PortfolioPart] = ()
    ) -> None:
        """On SQLite: notifies this process, which is the only one."""
        if self._database.is_sqlite:
            changed = frozenset(parts)
            self._deliver(provider_key, Changes(dict.fromkeys(learner_keys, changed), any_learner=not learner_keys))

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
            subscriber.add(Changes({}, everything=True))

    def _on_notification(self, payload: str) -> None:
        provider_key, numbers = json.loads(payload)
        if numbers is None:
            self._deliver(provider_key, Changes({}, everything=True))
            return
        parts = frozenset(_PARTS[number] for number in numbers if number in _PARTS)
        learners = dict.fromkeys((number for number in numbers if number > 0), parts)
        self._deliver(provider_key, Changes(learners, any_learner=not learners))

    def _deliver(self, provider_key: int, changes: Changes) -> None:
        for subscriber in self._subscribers:
            if subscriber.provider_key == provider_key:
                subscriber.add(changes)
