"""The condition that a column is one of many keys, with all keys in one parameter.

The SQL is the same for any number of keys, so a statement is compiled and prepared once.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class KeyList(TypeDecorator[Sequence[int]]):
    """A list of integer keys in one parameter: an array on PostgreSQL, a JSON array on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Any) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return json.dumps(list(value))


class _AnyOf(GenericFunction[bool]):
    """The condition; each database has its own SQL for it."""

    name = "any_of"
    type = Boolean()
    inherit_cache = True


@compiles(_AnyOf, "postgresql")
def _postgresql(element: _AnyOf, compiler: Any, **options: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **options)} = ANY({compiler.process(keys, **options)})"


@compiles(_AnyOf, "sqlite")
def _sqlite(element: _AnyOf, compiler: Any, **options: Any) -> str:
    column, keys = element.clauses
    values = f"SELECT value FROM json_each({compiler.process(keys, **options)})"
    return f"{compiler.process(column, **options)} IN ({values})"


def any_of(column: Any, parameter: str = "keys") -> ColumnElement[bool]:
    """Returns the condition; the keys are passed as `parameter` when the statement runs."""
    return _AnyOf(column, bindparam(parameter, type_=KeyList()))
