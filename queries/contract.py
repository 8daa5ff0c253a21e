"""The graph as this version ships it: `schema/schema.graphql`, read as a file, with its dates checked."""

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, is_scalar_type

from queries.faults import WrongUse

SDL = Path(__file__).parent.parent / "schema" / "schema.graphql"


@cache
def contract() -> GraphQLSchema:
    """The schema, without a server. Raises WrongUse where its file is not there."""
    if not SDL.exists():
        raise WrongUse(f"{SDL} is missing: the saved operations are checked against it before they are sent.")
    schema = build_schema(SDL.read_text(encoding="utf-8"), assume_valid=True)
    for name, check in (("Date", _date), ("DateTime", _moment)):
        scalar = schema.type_map.get(name)
        if is_scalar_type(scalar):
            scalar.parse_value = scalar.coerce_input_value = check  # type: ignore[union-attr]
    return schema


def _date(value: Any) -> str:
    return _spelled(value, dt.date.fromisoformat, "a date such as 2026-11-21")


def _moment(value: Any) -> str:
    def read(text: str) -> None:
        if dt.datetime.fromisoformat(text).tzinfo is None:
            raise ValueError

    return _spelled(value, read, "a moment with an offset, such as 2026-11-21T09:30:00Z")


def _spelled(value: Any, read: Callable[[str], object], wanted: str) -> str:
    """The text as it is sent, once it has been seen to be right."""
    try:
        read(value)
    except (TypeError, ValueError):
        raise GraphQLError(wanted) from None
    return value
