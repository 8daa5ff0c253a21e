"""LIMIT's part of the audit chain and of the change feed: what follows the commit of a write, by hand.

A mutation commits its audit event without a place in the provider's chain; within 0.1 s the server gives it one, and
notifies all server processes of the learner's changed parts. LIMIT does the same, for the writes of 0.1 s at a time.
"""

import asyncio
import json
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from services.audit.chain import event_hash, hashed_columns
from services.change_feed.feed import CHANNEL
from services.change_feed.publisher import BATCH_SECONDS

_END = "select audit_sequence, audit_hash from provider where id = $1 for no key update"
_EVENTS = f"""
select id, {", ".join(hashed_columns())} from audit_event
where provider_id = $1 and id = any($2::bigint[]) and sequence < 0 order by id
"""
_PLACES = """
update audit_event set sequence = place.sequence, previous_hash = place.previous_hash, hash = place.hash
from unnest($1::bigint[], $2::int[], $3::text[], $4::text[]) as place (id, sequence, previous_hash, hash)
where audit_event.id = place.id and audit_event.sequence < 0
"""
_NEW_END = "update provider set audit_sequence = $2, audit_hash = $3 where id = $1"
_NOTIFY = "select pg_notify($1, payload) from unnest($2::text[]) as payload"


class Sealer:
    """The writes that are committed and not yet sealed and notified, by provider."""

    def __init__(self) -> None:
        self._events: dict[int, list[int]] = defaultdict(list)
        self._learners: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._wake = asyncio.Event()

    def add(self, provider: int, event: int, learner: int, parts: Sequence[str]) -> None:
        """Adds the event of a committed write, and the parts of the learner's portfolio that it changed."""
        self._events[provider].append(event)
        self._learners[provider][learner].update(parts)
        self._wake.set()

    @asynccontextmanager
    async def running(self, pool: asyncpg.Pool) -> AsyncIterator[None]:
        """Seals and notifies until the block ends."""
        task = asyncio.create_task(self._run(pool))
        try:
            yield
        finally:
            task.cancel()

    async def _run(self, pool: asyncpg.Pool) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            events, self._events = self._events, defaultdict(list)
            learners, self._learners = self._learners, defaultdict(lambda: defaultdict(set))
            async with pool.acquire() as connection:
                async with connection.transaction():
                    for provider, keys in sorted(events.items()):
                        await _seal(connection, provider, keys)
                await connection.execute(_NOTIFY, CHANNEL, _payloads(learners))
            await asyncio.sleep(BATCH_SECONDS)


async def _seal(connection: asyncpg.Connection, provider: int, keys: list[int]) -> None:
    end = await connection.fetchrow(_END, provider)
    sequence, previous = end["audit_sequence"], end["audit_hash"]
    events = await connection.fetch(_EVENTS, provider, keys)
    hashes: list[str] = []
    for event in events:
        sequence += 1
        values = {
            **event, "detail": json.loads(event["detail"]), "sequence": sequence,
            "previous_hash": hashes[-1] if hashes else previous,
        }  # fmt: skip
        hashes.append(event_hash(values))
    if hashes:
        sequences = list(range(end["audit_sequence"] + 1, sequence + 1))
        found = [event["id"] for event in events]
        await connection.execute(_PLACES, found, sequences, [previous, *hashes[:-1]], hashes)
        await connection.execute(_NEW_END, provider, sequence, hashes[-1])


def _payloads(changed: dict[int, dict[int, set[str]]]) -> list[str]:
    """Returns a notification for the learners of a provider of whom the same parts changed."""
    found = []
    for provider, learners in changed.items():
        by_parts: dict[frozenset[str], list[int]] = defaultdict(list)
        for learner, parts in learners.items():
            by_parts[frozenset(parts)].append(learner)
        for changed_parts, keys in by_parts.items():
            numbers = [-zlib.crc32(part.encode()) for part in changed_parts]
            found.append(json.dumps([provider, keys + numbers]))
    return found
