"""Makes an object of a session from a row that the session has not read itself."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Select, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from db.cached_statement import CachedStatement
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
    names, mapper = attributes_of(entity), inspect(entity)
    values = dict(zip(names, row, strict=True))
    key = tuple(values[name] for name in _key_of(entity))
    known = session.sync_session.identity_map.get(mapper.identity_key_from_primary_key(key))
    if known is not None:
        for name in inspect(known).unloaded.intersection(values):
            set_committed_value(known, name, values[name])
        return cast("E", known)
    found = mapper.class_manager.new_instance()
    inspect(found).dict.update(values)
    make_transient_to_detached(found)
    session.add(found)
    return cast("E", found)


@cache
def _key_of(entity: type[Base]) -> tuple[str, ...]:
    mapper = inspect(entity)
    return tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
