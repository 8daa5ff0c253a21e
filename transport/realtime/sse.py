"""graphql-sse in distinct connections mode: the results of one operation as server-sent events, with a heartbeat."""

import asyncio
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from transport.graphql.errors import (
    BAD_REQUEST,
    UNAVAILABLE,
    HttpError,
    OperationRejected,
    operation_rejected,
    retry_after,
)
from transport.graphql.operation_context import OperationContext, is_still_signed_in
from transport.graphql.operation_log import OperationLog
from transport.graphql.operation_runner import OperationRunner
from transport.graphql.prepared_document import PreparedOperation
from transport.graphql.request import GraphQLRequest
from transport.realtime.connection_lifecycle import SESSION_ENDED, ClientTooSlow, ConnectionLifecycle
from transport.realtime.connection_limits import TooManyConnections, too_many_connections

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Keeps proxies from buffering the events.
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


def _next(response: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(response) + b"\n\n"


class EventStreamHandler:
    """Answers one request with an event stream: one event for a query or mutation, one for each of a subscription."""

    def __init__(
        self,
        runner: OperationRunner,
        lifecycle: ConnectionLifecycle,
        scope: Scope,
        receive: Receive,
        send: Send,
        log: OperationLog,
    ) -> None:
        self._runner = runner
        self._lifecycle = lifecycle
        self._method = scope["method"]
        self._receive = receive
        self._send = send
        self._log = log
        self._sending = asyncio.Lock()

    async def handle(self, request: GraphQLRequest, context: OperationContext) -> None:
        """Runs the operation of the request. By the protocol, a rejected operation is an event too.

        Raises HttpError before the stream has begun.
        """
        self._log.transport, self._log.status = "sse", 200
        response: dict[str, Any] | None = None
        try:
            prepared = await self._runner.prepare(request, context, self._log)
            if self._method == "GET" and prepared.operation.kind is OperationType.MUTATION:
                raise operation_rejected("A GET request runs no mutations: use POST.", BAD_REQUEST)
            if prepared.operation.kind is not OperationType.SUBSCRIPTION:
                response = await self._runner.run(prepared)
        except OperationRejected as rejection:
            response = {"errors": self._runner.error_response(rejection, self._log).errors}
        if response is None:
            await self.subscribe(prepared)
            return
        await self._start()
        await self._send({"type": "http.response.body", "body": _next(response) + _COMPLETE})

    async def subscribe(self, prepared: PreparedOperation) -> None:
        """Runs a subscription until it, the client, the session or the server ends, or the client is too slow."""
        self._log.transport, self._log.status = "sse", 200
        if self._lifecycle.is_shutting_down:
            raise HttpError(503, UNAVAILABLE, "The server is stopping. Try again.", (retry_after(1),))
        try:
            with self._lifecycle.open_stream(prepared.context) as evicted:
                await self._start()
                await self._stream(prepared, evicted)
        except TooManyConnections as error:
            raise too_many_connections(error) from None

    async def _start(self) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})

    async def _stream(self, prepared: PreparedOperation, evicted: asyncio.Future[None]) -> None:
        disconnect = asyncio.create_task(self._until_disconnect())
        # The last event if the task ends first.
        last_events: dict[asyncio.Future[None], dict[str, Any] | None] = {
            disconnect: None,
            evicted: None,
            asyncio.create_task(self._send_events(prepared)): None,
            asyncio.create_task(self._lifecycle.until_session_ends(prepared.context)): SESSION_ENDED,
            asyncio.create_task(self._lifecycle.until_shutdown()): None,
            asyncio.create_task(self._send_heartbeats()): None,
        }
        try:
            done, _ = await asyncio.wait(last_events, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in last_events:
                task.cancel()
            results = await asyncio.gather(*last_events, return_exceptions=True)
        if disconnect in done or any(isinstance(result, ClientTooSlow) for result in results):
            return
        last = next((last_events[task] for task in done if last_events[task]), None)
        await self._send_chunk((_next(last) if last else b"") + _COMPLETE, more=False)

    async def _send_events(self, prepared: PreparedOperation) -> None:
        try:
            async for response in self._runner.events(prepared):
                await self._send_chunk(_next(response))
            if not await is_still_signed_in(prepared.context):
                await self._send_chunk(_next(SESSION_ENDED))
        except ClientTooSlow:
            raise
        except Exception as error:
            response = {"errors": self._runner.error_response(error, prepared.log).errors}
            await self._send_chunk(_next(response))

    async def _send_heartbeats(self) -> None:
        while True:
            await self._send_chunk(_HEARTBEAT)
            await asyncio.sleep(self._runner.limits.keep_alive_seconds)

    async def _until_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _send_chunk(self, body: bytes, more: bool = True) -> None:
        # One chunk at a time, so that a client that does not read takes no more memory than one.
        async with self._sending:
            await self._lifecycle.send(self._send, {"type": "http.response.body", "body": body, "more_body": more})
