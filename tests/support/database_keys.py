"""The keys of the tables of a database, those that the mapped classes declare, and values for rows without meaning."""

import datetime as dt
import itertools
import secrets
from enum import Enum
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Date, DateTime, Integer, String, Table, inspect
from sqlalchemy import Enum as EnumType

from db.models.base import UtcDateTime
from db.models.provider_keys import stored_key, stored_reference_key
from db.models.registry import metadata


def stored_keys(connection: Connection) -> dict[str, Any]:
    """The keys of each table of the database: the primary key, and the columns of the others by name."""
    inspector = inspect(connection)
    found: dict[str, Any] = {}
    for name in metadata.tables:
        uniques = {each["name"]: each["column_names"] for each in inspector.get_indexes(name) if each["unique"]}
        uniques |= {each["name"]: each["column_names"] for each in inspector.get_unique_constraints(name)}
        references = {
            each["name"]: (each["constrained_columns"], each["referred_table"], each["referred_columns"])
            for each in inspector.get_foreign_keys(name)
        }
        found[name] = (inspector.get_pk_constraint(name)["constrained_columns"], uniques, references)
    return found


def declared_keys(table: Table, dialect: str) -> tuple[Any, ...]:
    """The same as the mapped class of a table declares it, on SQLite or PostgreSQL."""
    uniques = {str(each.name): each.columns.keys() for each in table.indexes if each.unique}
    for constraint in table.constraints:
        if type(constraint).__name__ == "UniqueConstraint":
            uniques[str(constraint.name)] = constraint.columns.keys()  # type: ignore[attr-defined]
    if extra := stored_reference_key(table, dialect):
        uniques[extra[0]] = extra[1]
    references = {
        str(each.name): (each.column_keys, each.referred_table.name, [element.column.name for element in each.elements])
        for each in table.foreign_key_constraints
    }
    return stored_key(table, dialect), uniques, references


_MINUTES = itertools.count()


def any_value(column: Column[Any]) -> Any:
    """A value that a column accepts."""
    match column.type:
        case EnumType():
            return next(iter(column.type.enum_class or Enum))
        case JSON():
            return []
        case String():
            return secrets.token_hex((column.type.length or 20) // 2)[:40]
        case Boolean():
            return False
        case DateTime() | UtcDateTime():
            # What ends is declared after what begins.
            return dt.datetime(2026, 3, 2, tzinfo=dt.UTC) + dt.timedelta(minutes=next(_MINUTES))
        case Date():
            return dt.date(2026, 3, 2)
        case Integer():
            return secrets.randbelow(1000) + 1
    return 1.0
