"""Inserts new objects of mapped classes directly: the same rows and objects as SQLAlchemy's flush of them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from types import SimpleNamespace
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.dml import ReturningInsert

from db.cached_statement import cached_statement
from db.direct_statements import send_many
from db.models.base import Base


class Insertion(NamedTuple):
    """A new object and the values of its row by attribute."""

    added: Base
    values: dict[str, Any]


def insertion_of(added: Base) -> Insertion | None:
    """Returns what is inserted for a new object; None if SQLAlchemy has to do it.

    As with SQLAlchemy, a column gets its default where the attribute is not set or None.
    """
    entity = type(added)
    columns, given = _columns(entity), instance_state(added).dict
    if columns is None:
        return None
    values: dict[str, Any] = {}
    for name, column in columns.items():
        value = given.get(name)
        if hasattr(value, "__clause_element__") or (
            name in given and value is None and column.type.should_evaluate_none
        ):
            return None
        if value is None and column.default is not None:
            default: Any = column.default
            value = default.arg if default.is_scalar else default.arg(_context(entity, values, given))
        if value is not None or not (column.primary_key or column.server_default is not None):
            values[name] = value
    return Insertion(added, values)


def _context(entity: type[Base], values: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """What the function of a default gets of SQLAlchemy's context: the values of the row by column."""
    columns = _columns(entity) or {}
    row = {column.name: values.get(name, given.get(name)) for name, column in columns.items()}
    return SimpleNamespace(get_current_parameters=lambda: row)


@cache
def _columns(entity: type[Base]) -> dict[str, Any] | None:
    """The columns of a class by attribute; None for one whose rows are more than a row of one table."""
    mapper = inspect(entity)
    if mapper.polymorphic_on is not None or len(mapper.tables) != 1:
        return None
    return {each.key: each.columns[0] for each in mapper.column_attrs}


async def insert_objects(session: AsyncSession, insertions: Sequence[Insertion]) -> Iterator[tuple[Any, Base]]:
    """Inserts objects of one class, in their order; returns each with its identity key, as loaded objects."""
    for names, group in groupby(insertions, lambda each: tuple(each.values)):
        same = list(group)
        entity = type(same[0].added)
        rows = await send_many(session, _inserting(entity, names), [each.values for each in same])
        for each, row in zip(same, rows, strict=True):
            _store(each, row)
    return ((instance_state(each.added).key, each.added) for each in insertions)


def _store(inserted: Insertion, row: Any) -> None:
    """Gives the object what its row has got, and makes it one that is stored."""
    state: Any = instance_state(inserted.added)
    entity = type(inserted.added)
    found = dict(zip(_returned(entity), row, strict=True))
    state.dict.update({**inserted.values, **found})
    mapper = inspect(entity)
    key = tuple(found[mapper.get_property_by_column(column).key] for column in mapper.primary_key)
    state.key = (mapper._identity_class, key, None)
    state._commit_all(state.dict)


@cache
def _returned(entity: type[Base]) -> tuple[str, ...]:
    """The attributes that an insert returns: the key, and what the database computes where nothing is given."""
    columns = _columns(entity) or {}
    return tuple(name for name, column in columns.items() if column.primary_key or column.server_default is not None)


@cached_statement
def _inserting(entity: type[Base], names: tuple[str, ...]) -> ReturningInsert[Any]:
    columns = _columns(entity) or {}
    values = {columns[name].name: bindparam(name, type_=columns[name].type) for name in names}
    return insert(entity.__table__).values(values).returning(*(columns[name] for name in _returned(entity)))
