"""graphql-sse in distinct connections mode: one operation's answers as server-sent events, with a heartbeat."""

import asyncio
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from transport.graphql.errors import (
    BAD_REQUEST,
    UNAVAILABLE,
    HttpError,
    OperationRejected,
    operation_rejected,
    retry_after,
)
from transport.graphql.operation_context import still_signed_in
from transport.graphql.operation_runner import OperationLog, OperationRunner, PreparedOperation
from transport.graphql.request import GraphQLRequest
from transport.realtime.connection_lifecycle import SIGNED_OUT, ConnectionLifecycle, ReaderTooSlow

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies that buffer would hold events back.
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


def _next(answer: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(answer) + b"\n\n"


async def stream(
    operations: OperationRunner,
    streams: ConnectionLifecycle,
    request: GraphQLRequest,
    context: Any,
    connection: HTTPConnection,
    receive: Receive,
    send: Send,
    record: OperationLog,
    ready: PreparedOperation | None = None,
) -> None:
    """Answers as an event stream: a query or mutation with one event, a subscription with one for each change.

    What cannot be run is told in an event too, as the protocol has it; a TurnedAway before the stream has begun is
    raised. The stream ends with the client, the sign-in, a reader too slow, or the server.
    """
    record.transport, record.status = "sse", 200
    first: dict[str, Any] | None = None
    try:
        ready = ready or operations.ready(request, context, record)
        if connection["method"] == "GET" and ready.operation.kind is OperationType.MUTATION:
            raise operation_rejected("A GET runs no mutations: send this with POST.", BAD_REQUEST)
        if ready.operation.kind is not OperationType.SUBSCRIPTION:
            first = await operations.run(ready)
    except OperationRejected as refusal:
        operations.refused(refusal, record)
        first = {"errors": refusal.errors}
    if first is not None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _next(first) + _COMPLETE})
        return
    if streams.ending:
        raise HttpError(503, UNAVAILABLE, "The service is stopping. Try again.", (retry_after(1),))
    with streams.counted():
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _Stream(operations, streams, ready, receive, send).run()


class _Stream:
    """One subscription's event stream, from its first byte to its last."""

    def __init__(
        self,
        operations: OperationRunner,
        streams: ConnectionLifecycle,
        ready: PreparedOperation,
        receive: Receive,
        send: Send,
    ) -> None:
        self._operations = operations
        self._streams = streams
        self._ready = ready
        self._receive = receive
        self._send = send
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Sends until one side has had enough."""
        gone = asyncio.create_task(self._until_gone())
        ends = {
            gone: None,
            asyncio.create_task(self._events()): None,
            asyncio.create_task(self._streams.until_signed_out(self._ready.context)): SIGNED_OUT,
            asyncio.create_task(self._streams.until_end()): None,
            asyncio.create_task(self._heartbeat()): None,
        }
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            results = await asyncio.gather(*ends, return_exceptions=True)
        unread = any(isinstance(result, ReaderTooSlow) for result in results)
        if gone in done or unread:
            return
        last = next((ends[task] for task in done if ends[task]), None)
        await self._emit((_next(last) if last else b"") + _COMPLETE, more=False)

    async def _events(self) -> None:
        try:
            async for answer in self._operations.events(self._ready):
                await self._emit(_next(answer))
            if not await still_signed_in(self._ready.context):
                await self._emit(_next(SIGNED_OUT))
        except ReaderTooSlow:
            raise
        except Exception as error:
            refusal = self._operations.refused(error, self._ready.record)
            await self._emit(_next({"errors": refusal.errors}))

    async def _heartbeat(self) -> None:
        while True:
            await self._emit(_HEARTBEAT)
            await asyncio.sleep(self._operations.limits.keep_alive_seconds)

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _emit(self, body: bytes, more: bool = True) -> None:
        # One writer at a time; a reader who does not read holds no more than what that one is writing.
        async with self._sending:
            await self._streams.send(self._send, {"type": "http.response.body", "body": body, "more_body": more})
