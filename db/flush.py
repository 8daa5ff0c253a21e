"""Flushes a session: changed and new objects by statements that are built once, the rest by SQLAlchemy.

SQLAlchemy's flush of one changed object calls some 600 functions, the update sent directly about 60.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Update, bindparam, inspect, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import NO_VALUE, instance_state
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.dml import ReturningUpdate

from db.cached_statement import cached_statement
from db.direct_statements import send_many
from db.models.base import Base
from db.new_objects import insert_objects, insertion_of
from db.write_session import WriteSession

_VALUE, _KEY, _VERSION = "value_{}", "key_{}", "old_version"

# Called with the `info` of the session, each object that was sent directly, and the attributes that were changed; None
# if it is new.
ChangeListener = Callable[[dict[Any, Any], Base, Collection[str] | None], None]
_listeners: list[ChangeListener] = []


def on_change(listener: ChangeListener) -> ChangeListener:
    """Registers a function for what is sent directly; SQLAlchemy calls those of its own events for the rest."""
    _listeners.append(listener)
    return listener


class _Change(NamedTuple):
    """A changed object with its state of SQLAlchemy, and the new values by attribute."""

    changed: Base
    state: Any
    values: dict[str, Any]


async def flush(session: AsyncSession) -> None:
    """Sends what has changed of the session's objects. Raises what SQLAlchemy raises.

    In the order of tables, an update for each changed object goes out directly; so do inserts of new objects, and
    several updates of one class in one round trip, where the session has no session of SQLAlchemy.
    """
    if isinstance(session, WriteSession) and session.made is None:
        if await _flush_objects(session):
            return
    else:
        sync = session.sync_session
        if not (sync.new or sync.deleted):
            modified = list(sync.dirty)
            changes = _changes(modified)
            # SQLAlchemy sends the rows of one class together.
            if changes is not None and len({type(each.changed) for each in changes}) == len(changes):
                for change in sorted(changes, key=lambda each: _position(type(each.changed))):
                    await _send(session, [change])
                _are_sent(modified, sync.identity_map)
                return
    await AsyncSession.flush(session)


async def _flush_objects(session: WriteSession) -> bool:
    """Sends the changes of a session without SQLAlchemy's; returns whether that could be done."""
    modified = [each for each in session.objects.values() if instance_state(each).modified]
    added = list(session.added)
    if not (modified or added):
        return True
    changes, insertions = _changes(modified), [insertion_of(each) for each in added]
    if changes is None or None in insertions:
        return False
    for entity in sorted({type(each) for each in (*modified, *added)}, key=_position):
        await _send(session, [each for each in changes if type(each.changed) is entity])
        new = [each for each in insertions if each is not None and type(each.added) is entity]
        session.objects.update(await insert_objects(session, new))
        for each in new:
            for listener in _listeners:
                listener(session.info, each.added, None)
    session.added.clear()
    _are_sent(modified, None)
    return True


def _are_sent(modified: Sequence[Base], identity_map: Any) -> None:
    # Also those that were set to what they were, of which nothing is sent.
    for each in modified:
        state: Any = instance_state(each)
        state._commit_all(state.dict, identity_map)


def _changes(objects: Sequence[Base]) -> list[_Change] | None:
    """Returns the changes of modified objects, by key; None if SQLAlchemy has to send them."""
    found = []
    for each in objects:
        state = instance_state(each)
        values = _new_values(state)
        if values and not _is_plain(type(each), values):
            return None
        if values:
            found.append(_Change(each, state, values))
    return sorted(found, key=lambda change: change.state.key[1]) if len(found) > 1 else found


def _position(entity: type[Base]) -> int:
    """The place of a class: those that its rows refer to come before it."""
    return _positions()[entity.__tablename__]


@cache
def _positions() -> dict[str, int]:
    return {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}


def _new_values(state: Any) -> dict[str, Any]:
    # What has been set since the object was read; some of it may be what it was.
    current = state.dict
    return {
        name: current.get(name)
        for name, earlier in state.committed_state.items()
        # To compare with an expression of SQL makes another.
        if earlier is NO_VALUE or name not in current or (earlier != current[name]) is not False
    }


def _is_plain(entity: type[Base], values: Mapping[str, Any]) -> bool:
    """Whether an update of these values needs nothing but them: no key changes, and none is an expression."""
    columns = _columns(entity)
    return all(
        name in columns
        and not columns[name].primary_key
        and not hasattr(value, "__clause_element__")
        # A JSON column stores None as the JSON null.
        and not (value is None and columns[name].type.should_evaluate_none)
        for name, value in values.items()
    )


@cache
def _columns(entity: type[Base]) -> dict[str, Any]:
    """The columns of a class by attribute; none where a column changes with each update."""
    columns = {each.key: each.columns[0] for each in inspect(entity).column_attrs}
    return {} if any(column.onupdate or column.server_onupdate for column in columns.values()) else columns


async def _send(session: AsyncSession, changes: Sequence[_Change]) -> None:
    """Sends updates of objects of one class."""
    for names, group in groupby(changes, lambda each: tuple(each.values)):
        same = list(group)
        entity = type(same[0].changed)
        rows = await send_many(session, _updating(entity, names), [_parameters(each) for each in same])
        if len(rows) != len(same):
            raise StaleDataError(f"UPDATE of {entity.__tablename__} matched no row: another transaction changed it")
        version = _version_of(entity)
        for change in same:
            if version is not None:
                change.state.dict[version] += 1
            for listener in _listeners:
                listener(session.info, change.changed, change.values.keys())


def _parameters(change: _Change) -> dict[str, Any]:
    parameters = {_VALUE.format(name): value for name, value in change.values.items()}
    for number, part in enumerate(change.state.key[1]):
        parameters[_KEY.format(number)] = part
    if (version := _version_of(type(change.changed))) is not None:
        parameters[_VERSION] = change.state.dict[version]
    return parameters


@cache
def _version_of(entity: type[Base]) -> str | None:
    """Returns the attribute of the version of a row, which each update raises; None where rows have none."""
    mapper = inspect(entity)
    return None if mapper.version_id_col is None else mapper.get_property_by_column(mapper.version_id_col).key


@cached_statement
def _updating(entity: type[Base], names: tuple[str, ...]) -> ReturningUpdate[Any]:
    """Updates these attributes of one row, and raises its version."""
    mapper, columns, table = inspect(entity), _columns(entity), entity.__table__
    values: dict[str, Any] = {
        columns[name].name: bindparam(_VALUE.format(name), type_=columns[name].type) for name in names
    }
    conditions = [
        column == bindparam(_KEY.format(number), type_=column.type) for number, column in enumerate(mapper.primary_key)
    ]
    if mapper.version_id_col is not None:
        values[mapper.version_id_col.name] = mapper.version_id_col + 1
        conditions.append(mapper.version_id_col == bindparam(_VERSION, type_=mapper.version_id_col.type))
    # unscoped: the object was read within the viewer's scope
    statement: Update = update(table).where(*conditions).values(values)
    return statement.returning(*mapper.primary_key)
