"""Flushes a session: changed objects by updates that are built once, everything else by SQLAlchemy.

SQLAlchemy's flush of one changed object calls some 600 functions, the update sent directly about 150.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Update, bindparam, inspect, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import NO_VALUE, instance_state
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.dml import ReturningUpdate

from db.cached_statement import cached_statement
from db.direct_statements import send
from db.models.base import Base
from db.write_session import unmade_objects

_VALUE, _KEY, _VERSION = "value_{}", "key_{}", "old_version"


# Called with the `info` of the session, each object that was sent directly, and the attributes that were changed.
UpdateListener = Callable[[dict[Any, Any], Base, Collection[str]], None]
_listeners: list[UpdateListener] = []


def on_update(listener: UpdateListener) -> UpdateListener:
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

    Where each changed object is of another class, and none is new or deleted, an update for each goes out directly, in
    the order of tables.
    """
    objects: Any = unmade_objects(session)
    if objects is not None:
        modified = [each for each in objects.values() if instance_state(each).modified]
        known = None
    else:
        sync = session.sync_session
        modified = [] if sync.new or sync.deleted else list(sync.dirty)
        known = sync.identity_map
    changes = _changes(modified)
    if changes is None or (known is not None and not modified):
        await session.flush()
        return
    for change in changes:
        await _send(session, change)
    # What was set to what it was is not sent.
    for each in modified:
        state: Any = instance_state(each)
        state._commit_all(state.dict, known)


def _changes(objects: Sequence[Base]) -> list[_Change] | None:
    """Returns the changes of modified objects; None if SQLAlchemy has to send them."""
    found: dict[type[Base], _Change] = {}
    for each in objects:
        state = instance_state(each)
        values = _new_values(state)
        if not values:
            continue
        entity = type(each)
        # SQLAlchemy sends the rows of one class together.
        if entity in found or not _is_plain(entity, values):
            return None
        found[entity] = _Change(each, state, values)
    return sorted(found.values(), key=_table_name) if len(found) > 1 else list(found.values())


def _table_name(change: _Change) -> str:
    return str(change.changed.__table__.name)


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


async def _send(session: AsyncSession, change: _Change) -> None:
    state, entity = change.state, type(change.changed)
    version = _version_of(entity)
    parameters = {_VALUE.format(name): value for name, value in change.values.items()}
    for number, part in enumerate(state.key[1]):
        parameters[_KEY.format(number)] = part
    if version is not None:
        parameters[_VERSION] = state.dict[version]
    if not await send(session, _updating(entity, tuple(change.values)), parameters):
        raise StaleDataError(f"UPDATE of {entity.__tablename__} matched no row: another transaction changed it")
    if version is not None:
        state.dict[version] += 1
    for listener in _listeners:
        listener(session.info, change.changed, change.values.keys())


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
