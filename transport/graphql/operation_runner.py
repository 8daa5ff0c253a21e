"""Prepares and runs operations, whether they come over HTTP, server-sent events or a WebSocket."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Hashable
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import create_source_event_stream, execute_subscription_event
from starlette.requests import HTTPConnection
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable

from auth.wrong_keys import TooManyWrongKeys
from db.outages import through_outages
from domain.network import network_of
from transport.graphql.anonymous_finder import AnonymousFinder
from transport.graphql.charge import settle, with_cost
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import (
    NOT_ALLOWED,
    HttpError,
    OperationRejected,
    format_error,
    log_failure,
    operation_rejected,
    outage_response,
    response_to,
    retry_after,
)
from transport.graphql.input_values import check_variables
from transport.graphql.introspection import IntrospectionCache
from transport.graphql.operation_context import MakeContext, OperationContext, is_still_signed_in
from transport.graphql.operation_log import OperationLog
from transport.graphql.persisted_documents import RECORD_IDS, Charge, DocumentFinder, PersistedDocuments
from transport.graphql.prepared_document import Operation, PreparedOperation
from transport.graphql.rate_limit import RateLimiter
from transport.graphql.request import GraphQLRequest
from transport.graphql.sign_in_runner import SignInRunner
from transport.limits import Limits

_IS_AWAITABLE: Any = optimized_is_awaitable  # graphql-core expects a type guard


class OperationRunner:
    """Prepares and runs the operations of one schema.

    `open_introspection` lets anonymous callers introspect. `on_complete` is called at the end of each operation.
    """

    def __init__(
        self,
        schema: Schema,
        make_context: MakeContext,
        limits: Limits,
        documents: PersistedDocuments,
        open_introspection: bool,
        on_complete: Callable[[OperationLog], None],
    ) -> None:
        if schema.extensions:
            raise ValueError("schema extensions are not supported: the schema must have none")
        self.schema = schema
        self._make_context = make_context
        self.limits = limits
        self.open_introspection = open_introspection
        self.on_complete = on_complete
        self.document_cache = DocumentCache(schema, limits)
        self._documents = DocumentFinder(self.document_cache, documents, limits)
        self._anonymous = AnonymousFinder(schema._schema, self.document_cache, documents, limits)
        self._sign_in = SignInRunner(self)
        self.rate_limiter = RateLimiter(limits)
        self._introspection = IntrospectionCache(schema)

    async def make_context(self, connection: HTTPConnection) -> OperationContext:
        """Returns the context of an operation. Raises NotSignedIn, and TooManyWrongKeys after a moment."""
        try:
            return await self._make_context(connection)
        except TooManyWrongKeys:
            await asyncio.sleep(self.limits.refusal_seconds)
            raise

    async def charge_body(self, context: OperationContext, size: int) -> None:
        """Charges the caller for a large body before it is decoded. Raises HttpError 429."""
        try:
            self.rate_limiter.charge_body(_caller(context), size)
        except HttpError:
            await asyncio.sleep(self.limits.refusal_seconds)
            raise

    async def prepare(self, request: GraphQLRequest, context: OperationContext, log: OperationLog) -> PreparedOperation:
        """Finds the operation of a request and charges its cost. Raises OperationRejected or HttpError."""
        viewer = context.viewer
        if viewer is not None:
            log.viewer, log.role = viewer.user_key, str(getattr(viewer.role, "value", viewer.role))
        charged = False

        def charge(text: str) -> None:
            nonlocal charged
            charged = True
            self.rate_limiter.charge_document(_caller(context), len(text))

        try:
            try:
                return await self._prepare(request, context, log, charge)
            except OperationRejected:
                if not charged:
                    charge(request.query or "")
                raise
        except HttpError as refusal:
            if refusal.status == 429:
                await asyncio.sleep(self.limits.refusal_seconds)
            raise

    async def _prepare(
        self, request: GraphQLRequest, context: OperationContext, log: OperationLog, charge: Charge
    ) -> PreparedOperation:
        anonymous = context.viewer is None
        if anonymous and not self.open_introspection:
            return await self._prepare_anonymous(request, context, log, charge)
        document, log.saved_name = await self._documents.find(request, charge)
        operation = self._measured(document.operation(request.operation_name), request, log)
        _check_access_key(context, operation, log)
        log.cost_left = self.rate_limiter.charge(_caller(context), log.cost, anonymous)
        return PreparedOperation(operation, request, context, log, anonymous)

    async def _prepare_anonymous(
        self, request: GraphQLRequest, context: OperationContext, log: OperationLog, charge: Charge
    ) -> PreparedOperation:
        found = await self._anonymous.find(request, charge)
        log.saved_name = found.saved_name
        operation = self._measured(found.prepared.operation(request.operation_name), request, log)
        log.cost_left = self.rate_limiter.charge(_caller(context), log.cost, anonymous=True)
        return PreparedOperation(operation, request, context, log, True, found.parts.get(operation.name, ()))

    def _measured(self, operation: Operation, request: GraphQLRequest, log: OperationLog) -> Operation:
        log.kind, log.name = operation.kind.value, operation.name
        log.deprecated = operation.deprecated
        check_variables(request.variables, self.limits)
        log.cost = operation.cost_with(request.variables, self.limits)
        return operation

    def run(self, prepared: PreparedOperation) -> Awaitable[dict[str, Any]]:
        """Runs a query or mutation and returns the response to encode: data, errors, extensions.

        Raises HttpError for an outage and for a query that takes too long, OperationRejected for invalid variables.
        """
        if prepared.parts and any(part.paths for part in prepared.parts):
            return self._sign_in.run(prepared)
        return self.run_document(prepared)

    async def run_document(self, prepared: PreparedOperation) -> dict[str, Any]:
        """Runs an operation in one go. Returns and raises as `run` does."""
        operation = prepared.operation
        if operation.only_introspects:
            return with_cost({"data": await self._introspection.data(operation)}, prepared.log)
        executor = self._executor(prepared, None)
        if isinstance(executor, list):
            return self.response(ExecutionResult(None, errors=executor), prepared)
        result: Any = executor.execute_operation()
        if optimized_is_awaitable(result):
            # A mutation has no timeout: it is never stopped half-way.
            result = await (self._with_timeout(result) if operation.kind is OperationType.QUERY else result)
        return self.response(result, prepared)

    async def _with_timeout(self, result: Any) -> Any:
        seconds = self.limits.query_seconds
        try:
            async with asyncio.timeout(seconds) as timeout:
                return await result
        except TimeoutError:
            if not timeout.expired():
                raise
            message = f"The query took longer than {seconds:g} seconds and was stopped. Select less."
            raise HttpError(503, "TIMED_OUT", message, (retry_after(10),)) from None

    def response(self, result: ExecutionResult, prepared: PreparedOperation) -> dict[str, Any]:
        """Returns the response to a result, with unexpected errors masked. Raises as `run` does."""
        settle(self.rate_limiter, _caller(prepared.context), prepared, result.data)
        if not result.errors:
            return with_cost({"data": result.data}, prepared.log)
        for error in result.errors:
            outage = outage_response(error.original_error)
            # A mutation that has changed something must not be answered as if it had not.
            if outage and not (prepared.operation.kind is OperationType.MUTATION and _has_value(result.data)):
                log_failure(error.original_error or error, prepared.log.request_id, error.path)
                raise outage from error.original_error
        errors = [self._format_error(error, prepared) for error in result.errors]
        prepared.log.code = errors[0]["extensions"]["code"]
        if result.data is None and all(error.path is None for error in result.errors):
            raise OperationRejected(errors)
        return with_cost({"errors": errors, "data": result.data}, prepared.log)

    def _format_error(self, error: GraphQLError, prepared: PreparedOperation) -> dict[str, Any]:
        outage = outage_response(error.original_error)
        if outage is None:
            return format_error(error, prepared.log.request_id, self._hides_details(prepared))
        return {**error.formatted, **outage.errors[0]}

    def _hides_details(self, prepared: PreparedOperation) -> bool:
        return prepared.anonymous and not self.open_introspection

    async def events(self, prepared: PreparedOperation) -> AsyncGenerator[dict[str, Any], None]:
        """Yields the responses of a subscription, one for each event. The viewer is read again before each of them.

        Ends once the viewer's session has ended. An event that meets an outage waits for its end. Raises as `run` does.
        """
        source = await self._source(prepared)
        try:
            async for event in source:
                response = await through_outages(partial(self._event_response, prepared, event))
                if response is None:
                    return
                yield response
        finally:
            if (aclose := getattr(source, "aclose", None)) is not None:
                await aclose()

    async def _event_response(self, prepared: PreparedOperation, event: Any) -> dict[str, Any] | None:
        """Returns the response for one event, None once the viewer's session has ended."""
        if not await is_still_signed_in(prepared.context):
            return None
        result: Any = execute_subscription_event(self._executor(prepared, event))
        return self.response(await result if isawaitable(result) else result, prepared)

    async def _source(self, prepared: PreparedOperation) -> AsyncIterable[Any]:
        executor = self._executor(prepared, None)
        if isinstance(executor, list):
            self.response(ExecutionResult(None, errors=executor), prepared)
        source: Any = create_source_event_stream(executor)
        source = await source if isawaitable(source) else source
        if isinstance(source, ExecutionResult):
            errors = source.errors or []
            outage = outage_response(errors[0].original_error)
            raise outage or OperationRejected([self._format_error(error, prepared) for error in errors])
        return source

    def _executor(self, prepared: PreparedOperation, root_value: Any) -> Any:
        executor_class: Any = self.schema.execution_context_class
        return executor_class.build(
            self.schema._schema,
            prepared.operation.document,
            root_value=root_value,
            context_value=prepared.context,
            raw_variable_values=prepared.request.variables,
            operation_name=prepared.operation.name,
            is_awaitable=_IS_AWAITABLE,
            hide_suggestions=self._hides_details(prepared),
            operation_extensions=prepared.request.extensions,
        )

    def error_response(self, error: BaseException, log: OperationLog) -> HttpError | OperationRejected:
        """Returns the response to an exception that ended an operation. Logs an unexpected one."""
        response = response_to(error, log.request_id)
        log.code = response.errors[0]["extensions"]["code"]
        return response


def _caller(context: OperationContext) -> Hashable:
    """Returns whom the rate limits count: the user, an access key, or the network of an anonymous caller."""
    if context.viewer is None:
        return network_of(context.client.address)
    access_key = context.viewer.access_key
    return context.viewer.user_key if access_key is None else ("access key", access_key.key)


def _check_access_key(context: OperationContext, operation: Operation, log: OperationLog) -> None:
    """Raises OperationRejected for what an access key may not do."""
    access_key = context.viewer.access_key if context.viewer is not None else None
    if access_key is None:
        return
    log.access_key = access_key.key
    if operation.kind is not OperationType.QUERY:
        raise operation_rejected("An access key only reads. Sign in to change something.", NOT_ALLOWED)
    if access_key.operations and log.saved_name not in {*access_key.operations, RECORD_IDS}:
        raise operation_rejected("This access key is for other saved queries. Run one of those.", NOT_ALLOWED)


def _has_value(data: Any) -> bool:
    return bool(data) and any(value is not None for value in data.values())
