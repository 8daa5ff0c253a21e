"""Results of introspection, which are the same for every caller and are computed once."""

import asyncio
from typing import Any

import orjson
from graphql.execution import execute
from strawberry import Schema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from transport.graphql.prepared_document import Operation

MAX_RESULTS = 32


class IntrospectionCache:
    """Encoded results of operations that only introspect."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema._schema
        # The operation is part of the value, which keeps the id of its document unique.
        self._results: dict[tuple[int, str | None], tuple[Operation, orjson.Fragment]] = {}

    async def data(self, operation: Operation) -> orjson.Fragment:
        """Returns the data of the operation, encoded as JSON. Runs it in a thread the first time."""
        key = (id(operation.document), operation.name)
        cached = self._results.get(key)
        if cached is None:
            encoded = await asyncio.to_thread(self._execute, operation)
            if len(self._results) >= MAX_RESULTS:
                self._results.clear()
            cached = self._results[key] = (operation, encoded)
        return cached[1]

    def _execute(self, operation: Operation) -> orjson.Fragment:
        result: Any = execute(
            self._schema,
            operation.document,
            operation_name=operation.name,
            executor_class=StrawberryGraphQLCoreExecutionContext,
        )
        return orjson.Fragment(orjson.dumps(result.data))
