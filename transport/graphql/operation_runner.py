"""The one way an operation runs, whether it came over HTTP, as an event stream or over a socket."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import create_source_event_stream, execute, execute_subscription_event
from starlette.requests import HTTPConnection
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from auth.viewer import NotSignedIn
from db.database import statement_count
from transport.graphql.document_cache import DocumentCache, Operation
from transport.graphql.error_mapping import describe, log_unhandled, outage_response, public_message
from transport.graphql.errors import (
    GENERIC_MESSAGE,
    INTERNAL,
    INTERNAL_MESSAGE,
    VALIDATION_FAILED,
    HttpError,
    OperationRejected,
    operation_rejected,
    retry_after,
)
from transport.graphql.operation_context import still_signed_in
from transport.graphql.persisted_documents import DocumentFinder, PersistedDocuments
from transport.graphql.rate_limit import RateLimiter, address_key
from transport.graphql.request import GraphQLRequest
from transport.limits import Limits

MakeContext = Callable[[HTTPConnection], Awaitable[Any]]


@dataclass(slots=True)
class OperationLog:
    """What a log line and the metrics say of one operation: no variables, no personal data."""

    request_id: str = ""
    transport: str = "http"
    kind: str | None = None
    name: str | None = None
    saved_name: str | None = None
    viewer: int | None = None
    role: str | None = None
    cost: int = 0
    left: int | None = None
    deprecated: tuple[str, ...] = ()
    code: str | None = None
    status: int = 0
    statements: list[int] = field(default_factory=lambda: [0])
    started: float = field(default_factory=time.perf_counter)


@dataclass(slots=True)
class PreparedOperation:
    """An operation that may run: found, measured, paid for."""

    operation: Operation
    request: GraphQLRequest
    context: Any
    record: OperationLog
    anonymous: bool


class OperationRunner:
    """Finds, prices and runs operations of one schema.

    `open_introspection`: callers who are not signed in may introspect. `done` is told of each operation at its end.
    """

    def __init__(
        self,
        schema: Schema,
        make_context: MakeContext,
        limits: Limits,
        documents: PersistedDocuments,
        open_introspection: bool,
        done: Callable[[OperationLog], None],
    ) -> None:
        if schema.extensions:
            raise ValueError("the view runs operations without Strawberry's schema extensions: this schema has some")
        self.schema = schema
        self.make_context = make_context
        self.limits = limits
        self.open_introspection = open_introspection
        self.done = done
        self.preparation = DocumentCache(schema, limits)
        self.finder = DocumentFinder(self.preparation, documents, limits)
        self.budget = RateLimiter(limits)
        self._introspected: dict[tuple[int, str | None], tuple[Operation, orjson.Fragment]] = {}

    def ready(self, request: GraphQLRequest, context: Any, record: OperationLog) -> PreparedOperation:
        """The operation that is asked for, priced and paid for. Raises Unrunnable or TurnedAway."""
        viewer = context.viewer
        anonymous = viewer is None
        if not anonymous:
            record.viewer, record.role = viewer.user_key, str(getattr(viewer.role, "value", viewer.role))
        try:
            prepared, record.saved_name = self.finder.find(request)
            operation = prepared.operation(request.operation_name)
            record.kind, record.name = operation.kind.value, operation.name
            record.deprecated = operation.deprecated
            record.cost = operation.price(request.variables, self.limits)
            if operation.introspects and anonymous and not self.open_introspection:
                raise operation_rejected(GENERIC_MESSAGE)
        except OperationRejected as refusal:
            raise self._for_caller(refusal, anonymous) from None
        key = address_key(getattr(context.client, "address", None)) if anonymous else viewer.user_key
        record.left = self.budget.charge(key, record.cost, anonymous)
        return PreparedOperation(operation, request, context, record, anonymous)

    def _for_caller(self, refusal: OperationRejected, anonymous: bool) -> OperationRejected:
        """One generic message for those who are not signed in: validation would describe the schema to them."""
        if not anonymous or self.open_introspection:
            return refusal
        if all(error["extensions"]["code"] != VALIDATION_FAILED for error in refusal.errors):
            return refusal
        return operation_rejected(GENERIC_MESSAGE)

    async def run(self, ready: PreparedOperation) -> dict[str, Any]:
        """The answer of a query or mutation, as it is encoded: data, errors, extensions. Raises as `answer` does."""
        operation = ready.operation
        if operation.only_introspects:
            return self._with_cost({"data": await self._introspect(operation)}, ready.record)
        result = execute(
            self.schema._schema,
            operation.document,
            context_value=ready.context,
            variable_values=ready.request.variables,
            operation_name=operation.name,
            executor_class=self.schema.execution_context_class,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=ready.anonymous and not self.open_introspection,
            operation_extensions=ready.request.extensions,
        )
        if isawaitable(result):
            # A mutation is never cut off half-way.
            if operation.kind is OperationType.QUERY:
                try:
                    async with asyncio.timeout(self.limits.query_seconds) as watch:
                        result = await result
                except TimeoutError:
                    if not watch.expired():
                        raise
                    raise HttpError(
                        503, "TIMED_OUT", "The query took too long and was stopped. Ask for less.", (retry_after(10),)
                    ) from None
            else:
                result = await result
        return self.answer(result, ready)

    def answer(self, result: ExecutionResult, ready: PreparedOperation) -> dict[str, Any]:
        """What the client reads of a result, faults of ours masked.

        Raises TurnedAway where something we stand on is away, Unrunnable where the request could not be run.
        """
        if not result.errors:
            return self._with_cost({"data": result.data}, ready.record)
        for error in result.errors:
            away = outage_response(error.original_error)
            # What a mutation has done already must not be answered as if nothing had happened.
            if away and not (ready.operation.kind is OperationType.MUTATION and _any_done(result.data)):
                log_unhandled(error.original_error, ready.record.request_id, error.path)
                raise away
        hide = ready.anonymous and not self.open_introspection
        errors = [self._described(error, ready.record, hide) for error in result.errors]
        ready.record.code = errors[0]["extensions"]["code"]
        if result.data is None and all(error.path is None for error in result.errors):
            raise OperationRejected(errors)
        return self._with_cost({"errors": errors, "data": result.data}, ready.record)

    @staticmethod
    def _described(error: GraphQLError, record: OperationLog, hide_details: bool) -> dict[str, Any]:
        away = outage_response(error.original_error)
        if away is None:
            return describe(error, record.request_id, hide_details)
        return {**error.formatted, **away.errors[0]}

    @staticmethod
    def _with_cost(answer: dict[str, Any], record: OperationLog) -> dict[str, Any]:
        cost = {"requested": record.cost}
        if record.left is not None:
            cost["left"] = record.left
        answer["extensions"] = {"cost": cost}
        return answer

    async def _introspect(self, operation: Operation) -> orjson.Fragment:
        """The schema's description of itself, which is the same for all: made once, in a thread, and kept encoded."""
        key = (id(operation.document), operation.name)
        known = self._introspected.get(key)
        if known is None:
            encoded = await asyncio.to_thread(self._describe_schema, operation)
            if len(self._introspected) >= 32:
                self._introspected.clear()
            # The operation is kept beside it, so that its id stays its own.
            known = self._introspected[key] = (operation, encoded)
        return known[1]

    def _describe_schema(self, operation: Operation) -> orjson.Fragment:
        result = execute(
            self.schema._schema,
            operation.document,
            operation_name=operation.name,
            executor_class=StrawberryGraphQLCoreExecutionContext,
        )
        return orjson.Fragment(orjson.dumps(result.data))

    async def events(self, ready: PreparedOperation) -> AsyncGenerator[dict[str, Any], None]:
        """The answers of a subscription, one for each event; the viewer is read again before each of them.

        Ends without a word once the viewer is no longer signed in; raises as `run` does.
        """
        source = await self._source(ready)
        try:
            async for event in source:
                if not await still_signed_in(ready.context):
                    return
                result = execute_subscription_event(self._executor(ready, event))
                yield self.answer(await result if isawaitable(result) else result, ready)
        finally:
            if (end := getattr(source, "aclose", None)) is not None:
                await end()

    async def _source(self, ready: PreparedOperation) -> AsyncIterable[Any]:
        executor = self._executor(ready, None)
        if isinstance(executor, list):
            self.answer(ExecutionResult(None, errors=executor), ready)
        source = create_source_event_stream(executor)
        source = await source if isawaitable(source) else source
        if isinstance(source, ExecutionResult):
            away = outage_response(source.errors[0].original_error)
            raise away or OperationRejected(
                [self._described(error, ready.record, ready.anonymous) for error in source.errors]
            )
        return source

    def _executor(self, ready: PreparedOperation, root_value: Any) -> Any:
        return self.schema.execution_context_class.build(
            self.schema._schema,
            ready.operation.document,
            root_value=root_value,
            context_value=ready.context,
            raw_variable_values=ready.request.variables,
            operation_name=ready.operation.name,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=ready.anonymous and not self.open_introspection,
            operation_extensions=ready.request.extensions,
        )

    def refused(self, error: Exception, record: OperationLog) -> HttpError | OperationRejected:
        """How an exception that ended an operation is answered; one that nobody expected is logged."""
        if not isinstance(error, HttpError | OperationRejected):
            if isinstance(error, NotSignedIn):
                error = HttpError(401, error.code, str(error), ((b"www-authenticate", b"Bearer"),))
            elif (ours := public_message(error)) is not None:
                error = OperationRejected([{"message": ours[0], "extensions": ours[1]}])
            else:
                log_unhandled(error, record.request_id)
                error = outage_response(error) or HttpError(
                    500, INTERNAL, INTERNAL_MESSAGE, requestId=record.request_id
                )
        record.code = error.errors[0]["extensions"]["code"]
        return error


def _any_done(data: Any) -> bool:
    return bool(data) and any(value is not None for value in data.values())


def count_statements(record: OperationLog) -> None:
    """From here on the running task's SQL statements are counted on the record."""
    statement_count.set(record.statements)
