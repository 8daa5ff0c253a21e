"""The hash chain of the audit trail: each event holds the hash of the one before it."""

import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from domain import clock
from domain.text import number_of
from services.audit.batches import BATCH_ROWS, Batch, problems_in
from services.audit.moved_keys import as_sealed, moves_by_provider

# What the first event of a provider's trail holds in place of the hash before it.
EMPTY_TRAIL_HASH = "0" * 64
# An event that was committed longer ago and is not sealed is a problem, whether or not a server ran meanwhile.
LONGEST_WAIT = dt.timedelta(hours=1)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
# Classes of values that are hashed as they are.
_PLAIN = frozenset({int, str, dict, type(None)})


@cache
def hashed_columns() -> tuple[str, ...]:
    """The names of the columns that the hash of an event covers: all but `id` and `hash`."""
    return tuple(column.key for column in AuditEvent.__table__.columns if column.key not in ("id", "hash"))


def event_hash(event: AuditEvent | Mapping[str, Any]) -> str:
    """SHA-256 of the event in lower-case hexadecimal: of every column but `id` and `hash`, as canonical JSON."""
    found = event if isinstance(event, Mapping) else _columns(event)
    # A server hashes each event that it writes, and most values need no call.
    values = {name: value if type(value := found[name]) in _PLAIN else _json_value(value) for name in hashed_columns()}
    return hashlib.sha256(_CANONICAL.encode(values).encode()).hexdigest()


def _columns(event: AuditEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in hashed_columns()}


def _json_value(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return getattr(value, "value", value)


async def audit_chain_heads(session: AsyncSession) -> list[dict[str, object]]:
    """The last event of each provider's trail: `provider` (key), `line` (its sequence number) and `hash`.

    A head that is noted outside the database shows later whether events were cut off the end.
    """
    heads = select(Provider.id, Provider.audit_sequence, Provider.audit_hash).order_by(Provider.id)
    return [
        {"provider": row.id, "line": row.audit_sequence, "hash": row.audit_hash} for row in await session.execute(heads)
    ]


async def unsealed_notices(session: AsyncSession) -> AsyncIterator[str]:
    """Yields a sentence for each provider that has events which were committed and have no place in its chain yet."""
    unsealed = (
        select(AuditEvent.provider_id, func.count().label("events"), func.min(AuditEvent.at).label("since"))
        .where(AuditEvent.sequence < 0)
        .group_by(AuditEvent.provider_id)
        .order_by(AuditEvent.provider_id)
    )
    for row in await session.execute(unsealed):
        yield (
            f"provider {row.provider_id}: {row.events} of its events, the first of {row.since:%Y-%m-%d %H:%M:%S} UTC, "
            "are not sealed yet; a server seals them within seconds, or when it starts"
        )


def _unplaced(provider_key: int) -> Select[int]:
    """The number of events without a place that do not wait for one: a server had sealed them by now."""
    waits = and_(AuditEvent.sequence < 0, AuditEvent.hash == "", AuditEvent.at >= clock.now() - LONGEST_WAIT)
    return select(func.count()).where(AuditEvent.provider_id == provider_key, AuditEvent.sequence <= 0, ~waits)


async def audit_chain_problems(session: AsyncSession) -> AsyncIterator[str]:
    """Yields a sentence for each event that was changed, removed, moved or added."""
    async for problem in problems_in(session, check_audit_chain):
        yield problem


async def audit_chain_problems_of(session: AsyncSession, provider_key: int) -> AsyncIterator[str]:
    """Yields the problems of one provider's trail."""
    position: Any = [provider_key, 0, EMPTY_TRAIL_HASH]
    while position[0] == provider_key:
        batch = await check_audit_chain(session, position)
        for problem in batch.problems:
            yield problem
        position = batch.next


async def check_audit_chain(session: AsyncSession, position: Any) -> Batch:
    """Checks the next events of a trail. The position: provider, its last line, the hash of that line."""
    key, sequence, previous = position or (-1, 0, EMPTY_TRAIL_HASH)
    # The end of a trail and its events are read together: the server may add events between two batches.
    at_or_after = Provider.id > key if position is None else Provider.id >= key
    provider = (await session.scalars(select(Provider).where(at_or_after).order_by(Provider.id).limit(1))).first()
    if provider is None:
        return Batch([], None)
    if provider.id != key:
        sequence, previous = 0, EMPTY_TRAIL_HASH
    statement = (
        select(AuditEvent)
        .where(AuditEvent.provider_id == provider.id, AuditEvent.sequence > sequence)
        .order_by(AuditEvent.sequence)
        .limit(BATCH_ROWS)
    )
    events = (await session.scalars(statement)).all()
    moves = (await moves_by_provider(session)).get(provider.id, [])
    problems = []
    for event in events:
        sequence += 1
        if event.sequence != sequence:
            problems.append(f"provider {provider.id}: line {sequence} is missing before line {event.sequence}")
            sequence = event.sequence
        if event.previous_hash != previous:
            problems.append(f"provider {provider.id}: line {event.sequence} does not follow the line before it")
        if event.hash != event_hash(as_sealed(_columns(event), moves)):
            problems.append(f"provider {provider.id}: line {event.sequence} was changed")
        previous = event.hash
    if len(events) == BATCH_ROWS:
        return Batch(problems, [provider.id, sequence, previous])
    if (provider.audit_sequence, provider.audit_hash) != (sequence, previous):
        problems.append(
            f"provider {provider.id}: the trail should end at line {provider.audit_sequence}, "
            f"but ends at line {sequence}"
        )
    if unplaced := await session.scalar(_unplaced(provider.id)):
        problems.append(f"provider {provider.id}: {number_of(unplaced, 'event')} without a place in the trail")
    return Batch(problems, [provider.id + 1, 0, EMPTY_TRAIL_HASH])
