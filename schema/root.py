"""The served schema, and its SDL."""

import datetime as dt
from functools import cache

import orjson
import strawberry
from graphql import build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter

from schema.executor import executor_class
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


class _Names(NameConverter):
    """Names of the schema, which Strawberry looks up for each argument of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.apply_naming_config = cache(super().apply_naming_config)  # type: ignore[method-assign]  # the same, once


def utc_text(moment: dt.datetime) -> str:
    """Returns what `isoformat` does for a time in UTC, in half its time: that asks the zone for its offset."""
    return orjson.dumps(moment)[1:-1].decode()


def make_schema(executor: str = "compiled") -> strawberry.Schema:
    """Returns the schema with an executor: `compiled`, or `generic` for that of graphql-core."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=_Names()),
        execution_context_class=executor_class(executor, utc_text),
    )


def printed() -> str:
    """Returns the SDL of the schema, sorted, as in `schema/schema.graphql`."""
    return print_schema(lexicographic_sort_schema(build_schema(make_schema("generic").as_str()))) + "\n"
