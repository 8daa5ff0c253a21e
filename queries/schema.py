"""The GraphQL schema of this version, read from `schema/schema.graphql`, with date and time validation."""

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, is_scalar_type

from .errors import UsageError

# In an installed client below this package, in the repository in the folder of the schema.
_INSTALLED = Path(__file__).parent / "data" / "schema.graphql"
SCHEMA_FILE = _INSTALLED if _INSTALLED.exists() else Path(__file__).parent.parent / "schema" / "schema.graphql"


@cache
def load_schema() -> GraphQLSchema:
    """Returns the schema without asking a server. Raises UsageError if its file is missing."""
    if not SCHEMA_FILE.exists():
        raise UsageError(f"{SCHEMA_FILE} is missing. It is needed to check operations before they are sent.")
    schema = build_schema(SCHEMA_FILE.read_text(encoding="utf-8"), assume_valid=True)
    for name, validate in (("Date", _validate_date), ("DateTime", _validate_datetime)):
        scalar = schema.type_map.get(name)
        if is_scalar_type(scalar):
            # setattr: these are methods of the class, overridden per instance as GraphQLScalarType itself does.
            for coercion in ("parse_value", "coerce_input_value"):
                setattr(scalar, coercion, validate)
    return schema


def _validate_date(value: Any) -> str:
    return _validate(value, dt.date.fromisoformat, "a date such as 2026-11-21")


def _validate_datetime(value: Any) -> str:
    def parse(text: str) -> None:
        if dt.datetime.fromisoformat(text).tzinfo is None:
            raise ValueError

    return _validate(value, parse, "a date and time with an offset, such as 2026-11-21T09:30:00Z")


def _validate(value: Any, parse: Callable[[str], object], expected: str) -> str:
    try:
        parse(value)
    except (TypeError, ValueError):
        raise GraphQLError(expected) from None
    return value
