"""The served schema, put together."""

import strawberry
from graphql import build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

from schema.executor import executor_class
from schema.mutation import Mutation
from schema.query import Query
from schema.subscription import Subscription


def make_schema(executor: str = "compiled") -> strawberry.Schema:
    """The schema with its executor: `compiled`, or `generic` for graphql-core's own."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(),
        execution_context_class=executor_class(executor),
    )


def printed() -> str:
    """The served SDL, sorted: the promise that `schema/schema.graphql` keeps."""
    return print_schema(lexicographic_sort_schema(build_schema(make_schema("generic").as_str()))) + "\n"
