"""The served schema, and its SDL."""

import strawberry
from graphql import build_schema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

from schema.executor import executor_class
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


def make_schema(executor: str = "compiled") -> strawberry.Schema:
    """Returns the schema with an executor: `compiled`, or `generic` for that of graphql-core."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=executor_class(executor),
    )


def printed() -> str:
    """Returns the SDL of the schema, sorted, as in `schema/schema.graphql`."""
    return print_schema(lexicographic_sort_schema(build_schema(make_schema("generic").as_str()))) + "\n"
