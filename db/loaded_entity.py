"""Makes an object of a session from a row that the session has not read itself."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import instance_state, set_committed_value

from db.cached_statement import CachedStatement, cached_statement
from db.direct_statements import send
from db.models.base import Base

E = TypeVar("E", bound=Base)


@cache
def attributes_of(entity: type[Base]) -> tuple[str, ...]:
    """Returns the names of an entity's attributes that are columns, in the order of `loaded`."""
    return tuple(inspect(entity).column_attrs.keys())


def columns_of(entity: type[Base]) -> list[Any]:
    """Returns the columns to select for `loaded`."""
    return [getattr(entity, name).label(name) for name in attributes_of(entity)]


async def load_all(
    session: AsyncSession, entity: type[E], statement: CachedStatement[Select[Any]], parameters: Mapping[str, Any]
) -> list[E]:
    """Returns the objects of the rows of a statement that selects `columns_of` the entity."""
    return [loaded(session, entity, row) for row in await send(session, statement, parameters)]


def loaded(session: AsyncSession, entity: type[E], row: Iterable[Any]) -> E:
    """Returns the object of a row with the columns of `attributes_of`, as if the session had selected it.

    If the session has the object already, it stays as it is, and gets what it does not know.
    """
    shape = _shape(entity)
    values = dict(zip(shape.names, row, strict=True))
    key = identity_of(entity, tuple(values[name] for name in shape.key))
    # Of a `WriteSession` without SQLAlchemy's.
    objects: dict[Any, Base] | None = getattr(session, "unmade_objects", None)
    known: Any = session.sync_session.identity_map.get(key) if objects is None else objects.get(key)
    if known is not None:
        for name in inspect(known).unloaded.intersection(values):
            set_committed_value(known, name, values[name])
        return cast("E", known)
    found = shape.new()
    state: Any = instance_state(found)
    # Every column is loaded, so that nothing is to be read later.
    state.dict.update(values)
    state.key = key
    if objects is None:
        session.add(found)
    else:
        objects[key] = found
    return cast("E", found)


def refill(found: Base, row: Iterable[Any]) -> None:
    """Gives an object what its row, with the columns of `attributes_of`, has now; what was set before is forgotten."""
    state: Any = instance_state(found)
    state.dict.update(zip(attributes_of(type(found)), row, strict=True))
    state.committed_state.clear()
    state.expired_attributes.clear()


def identity_of(entity: type[Base], key: tuple[Any, ...]) -> Any:
    """Returns SQLAlchemy's identity key of an object."""
    return (_shape(entity).identity_class, key, None)


@cached_statement
def selecting(entity: type[Base]) -> Select[Any]:
    """Selects the row of an entity whose key is `key_0`, and `key_1` and so on if it has several columns."""
    keys = inspect(entity).primary_key
    conditions = [column == bindparam(f"key_{number}", type_=column.type) for number, column in enumerate(keys)]
    # unscoped: the caller has read the key within the viewer's scope
    return select(*columns_of(entity)).where(*conditions)


class _Shape(NamedTuple):
    """The attributes of a class in the order of its rows, and what SQLAlchemy makes an object with."""

    names: tuple[str, ...]
    key: tuple[str, ...]
    identity_class: type[Any]
    new: Callable[[], Any]


@cache
def _shape(entity: type[Base]) -> _Shape:
    mapper = inspect(entity)
    key = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
    return _Shape(attributes_of(entity), key, mapper._identity_class, mapper.class_manager.new_instance)
