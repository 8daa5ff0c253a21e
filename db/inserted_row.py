"""Inserts a row of a mapped class without an object of the session, whose flush costs several times the insert."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Insert, bindparam, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from db.cached_statement import cached_statement
from db.direct_statements import send, send_many
from db.history.daily_rows import note_insert
from db.models.base import Base


async def insert_row(session: AsyncSession, entity: type[Base], values: Mapping[str, Any]) -> int:
    """Inserts a row in the session's transaction; returns its key.

    `values` are by the name of the attribute; other columns get their defaults. Raises TypeError for a default that
    follows from other columns and is not given, and for a class whose new rows the history follows in another way.
    """
    note_insert(session, entity, values)
    defaults = _defaults(entity, tuple(values))
    row = {name: default() if callable(default) else default for name, default in defaults}
    (inserted,) = await send(session, _inserting(entity, tuple(values)), {**row, **values})
    return int(inserted.key)


async def insert_rows(session: AsyncSession, entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows with values of the same attributes, as `insert_row` does, in one round trip."""
    for values in rows:
        note_insert(session, entity, values)
    given = tuple(rows[0]) if rows else ()
    defaults = _defaults(entity, given)
    made = [{**{name: each() if callable(each) else each for name, each in defaults}, **values} for values in rows]
    if made:
        await send_many(session, _inserting_only(entity, given), made)


@cached_statement
def _inserting_only(entity: type[Base], given: tuple[str, ...]) -> Insert:
    """Inserts these attributes, and the defaults of the others, and returns nothing."""
    columns = _columns(entity)
    named = [*given, *(name for name, _ in _defaults(entity, given))]
    return insert(entity.__table__).values(
        {columns[name].name: bindparam(name, type_=columns[name].type) for name in named}
    )


@cached_statement
def _inserting(entity: type[Base], given: tuple[str, ...]) -> ReturningInsert[int]:
    """Inserts these attributes, and the defaults of the others."""
    (key,) = entity.__table__.primary_key
    return _inserting_only(entity, given).build().returning(key.label("key"))


@cache
def _defaults(entity: type[Base], given: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Returns the defaults of the attributes that are not given, by attribute."""
    return [
        (name, _default(column))
        for name, column in _columns(entity).items()
        if name not in given and column.default is not None
    ]


def _columns(entity: type[Base]) -> dict[str, Any]:
    return {each.key: each.columns[0] for each in inspect(entity).column_attrs}


def _default(column: Column[Any]) -> Any:
    """Returns the default of a column: its value, or a function without arguments that returns it."""
    default: Any = column.default
    if default.is_scalar:
        return default.arg

    def make() -> Any:
        # SQLAlchemy passes the context of the statement, which is not there.
        try:
            return default.arg(None)
        except AttributeError:
            raise TypeError(f"{column.table.name}.{column.name} must be given") from None

    return make
