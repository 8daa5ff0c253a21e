"""On PostgreSQL, follows the commits of this process: seals their audit events and notifies all processes of them.

Both happen a batch at a time, because they would make transactions wait for each other: an event is appended to its
provider's chain, and PostgreSQL lets one transaction at a time commit a notification. A commit waits for neither. What
a process has committed and then did not live to publish, another one does.
"""

import asyncio
import datetime as dt
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from db.background_task import running
from db.cached_statement import cached_statement
from db.database import Database
from db.direct_statements import send
from db.models.audit_event import AuditEvent
from db.outages import OutageLog
from domain import clock
from services.audit.seal import BATCH, COMMITTED_BEFORE, WITH_KEYS, seal
from services.change_feed.changes import NOTHING, Changes, payloads

# Commits of this length of time are published together; the first after a pause at once.
BATCH_SECONDS = 0.1
# An unsealed event that is older was committed by a process that has ended, or does not know that it was committed.
STRAY_SECONDS = 3.0
_RETRY_SECONDS = 1.0
_STOP_SECONDS = 5.0
_ERRORS = (OSError, TimeoutError, SQLAlchemyError)
# unscoped: the providers of events that no viewer reads
_PROVIDERS_TO_SEAL = select(AuditEvent.provider_id).where(AuditEvent.sequence < 0, COMMITTED_BEFORE).distinct()


@cached_statement
def _notifying() -> Select[Any]:
    payload = func.unnest(bindparam("payloads", type_=ARRAY(Text))).column_valued("payload")
    return select(func.pg_notify(bindparam("channel", type_=Text), payload))


class ChangePublisher:
    """Publishes commits on a channel for as long as `publishing` runs."""

    def __init__(self, database: Database, channel: str) -> None:
        self._database = database
        self._channel = channel
        # By provider: the keys of events to seal, and what to notify.
        self._events: dict[int, list[int]] = defaultdict(list)
        self._changes: dict[int, Changes] = {}
        self._wake = asyncio.Event()
        self._strays_sought_at = 0.0
        # Whether everything that was added has been published.
        self.is_idle = True
        self.outages = OutageLog("change_publisher")

    def add_event(self, provider_key: int, event_key: int) -> None:
        """Adds an audit event that was committed unsealed."""
        self._events[provider_key].append(event_key)
        self.is_idle = False
        self._wake.set()

    def add_changes(self, provider_key: int, changes: Changes) -> None:
        """Adds what a committed transaction has changed."""
        self._changes[provider_key] = self._changes.get(provider_key, NOTHING).joined(changes)
        self.is_idle = False
        self._wake.set()

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Publishes until the block ends, and then what is left."""
        async with running(self._run, "change publisher"):
            yield
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.publish()
        except _ERRORS as error:
            # Another process, or the next one, finds the events.
            self.outages.failed(error)

    async def _run(self) -> None:
        while True:
            try:
                if time.monotonic() - self._strays_sought_at >= STRAY_SECONDS:
                    await self._publish_strays()
                    self._strays_sought_at = time.monotonic()
                await self.publish()
            except _ERRORS as error:
                self.outages.failed(error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self.outages.worked()
            await asyncio.sleep(BATCH_SECONDS)
            if not self._wake.is_set():
                await self._wait_for_commit()

    async def _wait_for_commit(self) -> None:
        try:
            async with asyncio.timeout(STRAY_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def publish(self) -> None:
        """Seals and notifies what was added. Raises what SQLAlchemy raises; then it is still to be published."""
        self._wake.clear()
        events, changes = self._events, self._changes
        self._events, self._changes = defaultdict(list), {}
        try:
            # The providers in one order in every process, so that two of them cannot wait for each other.
            for batch in range(0, max(map(len, events.values()), default=0), BATCH):
                async with self._database.writing() as session:
                    for provider_key, keys in sorted(events.items()):
                        if part := keys[batch : batch + BATCH]:
                            await seal(session, provider_key, WITH_KEYS, {"keys": part})
            if changes:
                async with self._database.writing() as session:
                    await self._notify(session, changes)
        except BaseException:
            self._put_back(events, changes)
            raise
        self.is_idle = not (self._events or self._changes)

    def _put_back(self, events: dict[int, list[int]], changes: dict[int, Changes]) -> None:
        for provider_key, keys in events.items():
            self._events[provider_key] += keys
        for provider_key, changed in changes.items():
            self.add_changes(provider_key, changed)
        self._wake.set()

    async def _notify(self, session: AsyncSession, changes: dict[int, Changes]) -> None:
        sent = [payload for key, changed in sorted(changes.items()) for payload in payloads(key, changed)]
        await send(session, _notifying(), {"channel": self._channel, "payloads": sent})

    async def _publish_strays(self) -> None:
        """Seals the events that no process has sealed, and notifies all parts of their learners."""
        before = {"before": clock.now() - dt.timedelta(seconds=STRAY_SECONDS)}
        for row in sorted(await self._database.rows(_PROVIDERS_TO_SEAL, before, primary=True)):
            async with self._database.writing() as session:
                events = await seal(session, row.provider_id, COMMITTED_BEFORE, before)
                if events:
                    learners = {event.learner_id for event in events if event.learner_id is not None}
                    unknown = any(event.learner_id is None for event in events)
                    changed = NOTHING.joined(Changes(dict.fromkeys(learners, frozenset()), unknown, moved=True))
                    await self._notify(session, {row.provider_id: changed})
