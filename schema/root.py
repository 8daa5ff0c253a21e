"""The served schema, put together."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.executor import executor_class
from schema.mutation import Mutation
from schema.query import Query


def make_schema(executor: str = "compiled") -> strawberry.Schema:
    """The schema with its executor: `compiled`, or `generic` for graphql-core's own."""
    return strawberry.Schema(
        query=Query, mutation=Mutation, config=StrawberryConfig(), execution_context_class=executor_class(executor)
    )
