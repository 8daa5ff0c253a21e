"""Seals the audit events that transactions have committed without a place in their provider's chain."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    Update,
    bindparam,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from db.cached_statement import cached_statement
from db.direct_statements import is_postgresql, send
from db.models.audit_event import AuditEvent
from db.models.base import Key, UtcDateTime
from db.models.provider import Provider
from db.sql.any_of import any_of
from services.audit.chain import event_hash, hashed_columns

# Events of one transaction that seals: the end of the chain is locked for some milliseconds.
BATCH = 500


class SealLost(Exception):
    """An event that was to be sealed no longer exists. Nothing was sealed."""


# Which events to seal: those with keys in `keys`, or those that were committed before `before`.
WITH_KEYS = any_of(AuditEvent.id)
COMMITTED_BEFORE: ColumnElement[bool] = AuditEvent.at < bindparam("before", type_=UtcDateTime)


async def seal(
    session: AsyncSession,
    provider_key: int,
    condition: ColumnElement[bool],
    parameters: Mapping[str, Any] | None = None,
) -> Sequence[Any]:
    """Gives the unsealed events that meet the condition their places, in the order of their keys; returns them.

    `condition` is WITH_KEYS or COMMITTED_BEFORE with its parameter, or another one that exists once.

    At most `BATCH` of them. In the caller's transaction, which locks the end of the provider's chain: events of other
    processes, of the last version too, come before these or after them. Raises SealLost, and NoResultFound where there
    is no such provider.
    """
    of_provider = {"provider": provider_key}
    heads = await send(session, _end_of_chain(), of_provider)
    if not heads:
        raise NoResultFound("the provider of the events is gone")
    (head,) = heads
    # After the lock: what another process has sealed meanwhile is not read.
    events = await send(session, _unsealed(condition), {**of_provider, **(parameters or {})})
    if not events:
        return events
    sequence, previous, places = head.audit_sequence, head.audit_hash, []
    for event in events:
        sequence += 1
        values = {**event._mapping, "sequence": sequence, "previous_hash": previous}
        hash_ = event_hash(values)
        places.append((event.id, sequence, previous, hash_))
        previous = hash_
    await _store(session, places)
    await send(session, _moving_end(), {**of_provider, "sequence": sequence, "last": previous})
    return events


# The statements are built once: to build and compile them for each batch cost more than to run them.
_EVENTS, _PROVIDERS = AuditEvent.__table__.c, Provider.__table__.c
_OF_PROVIDER = _PROVIDERS.id == bindparam("provider", type_=Key)


@cached_statement
def _end_of_chain() -> Select[Any]:
    """Selects the end of a provider's chain, and locks it."""
    head = select(_PROVIDERS.audit_sequence, _PROVIDERS.audit_hash).where(_OF_PROVIDER)
    return head.with_for_update(key_share=True)


@cached_statement
def _moving_end() -> Update:
    end: dict[str, Any] = {"audit_sequence": bindparam("sequence"), "audit_hash": bindparam("last")}
    return update(Provider.__table__).where(_OF_PROVIDER).values(end)


@cached_statement
def _unsealed(condition: ColumnElement[bool]) -> Select[Any]:
    # unscoped: no viewer reads them
    return (
        select(_EVENTS.id, *(_EVENTS[name] for name in hashed_columns()))
        .where(_EVENTS.provider_id == bindparam("provider", type_=Key), _EVENTS.sequence < 0, condition)
        .order_by(_EVENTS.id)
        .limit(BATCH)
    )


@cached_statement
def _storing_place() -> ReturningUpdate[int]:
    """Stores the place of one event."""
    place: dict[str, Any] = {
        "sequence": bindparam("place"),
        "previous_hash": bindparam("previous"),
        "hash": bindparam("own"),
    }
    is_event = _EVENTS.id == bindparam("event", type_=Key)
    return update(AuditEvent.__table__).where(_EVENTS.sequence < 0, is_event).values(place).returning(_EVENTS.id)


@cached_statement
def _storing_places() -> ReturningUpdate[int]:
    """Stores the places of any number of events, which come as an array for each column (PostgreSQL)."""
    arrays = [
        bindparam(name, type_=ARRAY(type_))
        for name, type_ in (("events", BigInteger), ("places", Integer), ("previous", Text), ("own", Text))
    ]
    place = func.unnest(*arrays).table_valued(
        column("id", BigInteger), column("sequence", Integer), column("previous_hash", String), column("hash", String),
        name="place",
    ).render_derived()  # fmt: skip
    stored = {name: place.c[name] for name in ("sequence", "previous_hash", "hash")}
    unsealed = update(AuditEvent.__table__).where(_EVENTS.sequence < 0, _EVENTS.id == place.c.id)
    return unsealed.values(stored).returning(_EVENTS.id)


async def _store(session: AsyncSession, places: Collection[tuple[int, int, str, str]]) -> None:
    """Stores (key, sequence, previous hash, hash) of each event, in one statement on PostgreSQL."""
    if is_postgresql(session):
        arrays = map(list, zip(*places, strict=True))
        names = ("events", "places", "previous", "own")
        stored = len(await send(session, _storing_places(), dict(zip(names, arrays, strict=True))))
    else:
        # SQLite has no arrays. Only a provider that moved there from PostgreSQL has such events.
        stored = 0
        for each in places:
            place = dict(zip(("event", "place", "previous", "own"), each, strict=True))
            stored += len(await send(session, _storing_place(), place))
    if stored != len(places):
        raise SealLost
