"""graphql-transport-ws: one socket, many operations. Close codes and words are those of its PROTOCOL.md."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from auth.viewer import NotSignedIn
from transport.graphql.errors import HttpError, OperationRejected
from transport.graphql.operation_context import close, still_signed_in
from transport.graphql.operation_runner import OperationLog, OperationRunner, count_statements
from transport.graphql.request import GraphQLRequest, decode, from_json
from transport.realtime.connection_lifecycle import ConnectionLifecycle
from transport.realtime.origins import origin_allowed
from transport.realtime.socket_queue import AuthenticatedConnection, CloseSocket, SendQueue

PROTOCOL = "graphql-transport-ws"
FORBIDDEN = CloseSocket(4403, "Forbidden")


class WebSocketEndpoint:
    """Accepts sockets: only our own and allowed origins, only graphql-transport-ws, only so many at once."""

    def __init__(
        self, operations: OperationRunner, streams: ConnectionLifecycle, allowed_origins: frozenset[str]
    ) -> None:
        self._operations = operations
        self._streams = streams
        self._allowed_origins = allowed_origins
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        await receive()
        allowed = origin_allowed(headers.get(b"origin"), headers.get(b"host"), self._allowed_origins)
        if not allowed or self._streams.ending or self.open >= self._operations.limits.sockets:
            # Closed before it is accepted: the handshake is answered with 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        self.open += 1
        try:
            await WebSocketConnection(self._operations, self._streams, scope, receive, send).run()
        finally:
            self.open -= 1


class WebSocketConnection:
    """One accepted socket until it closes."""

    def __init__(
        self, operations: OperationRunner, streams: ConnectionLifecycle, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._operations = operations
        self._limits = operations.limits
        self._streams = streams
        self._scope = scope
        self._receive = receive
        self._outbox = SendQueue(streams, send, self._limits.socket_queue)
        self._session: AuthenticatedConnection | None = None
        self._initialised = asyncio.Event()
        self._forbidden = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._subscriptions: set[str] = set()

    async def run(self) -> None:
        """Reads messages until a side closes; then everything that runs is cancelled."""
        guards: list[Coroutine[Any, Any, None]] = [
            self._read(), self._outbox.write(), self._until_signed_out(), self._until_forbidden(), self._until_end(),
        ]  # fmt: skip
        tasks = [asyncio.create_task(guard) for guard in guards]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            closing = next((error for task in done if (error := task.exception())), None)
        finally:
            running = [*tasks, *self._running.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            if self._session:
                await close(self._session.context)
        if closing is not None and not isinstance(closing, CloseSocket):
            self._operations.refused(closing, OperationLog(request_id=self._request_id, transport="websocket"))
            closing = CloseSocket(4500, "Internal server error")
        if closing is not None and closing.code:
            await self._outbox.close(closing)

    @property
    def _request_id(self) -> str:
        return self._scope.get("state", {}).get("request_id", "")

    async def _until_signed_out(self) -> None:
        try:
            await asyncio.wait_for(self._initialised.wait(), self._limits.init_seconds)
        except TimeoutError:
            raise CloseSocket(4408, "Connection initialisation timeout") from None
        assert self._session is not None
        await self._streams.until_signed_out(self._session.context)
        raise FORBIDDEN

    async def _until_forbidden(self) -> None:
        await self._forbidden.wait()
        raise FORBIDDEN

    async def _until_end(self) -> None:
        await self._streams.until_end()
        # What was asked for once is still answered; only what goes on for ever is let go.
        finite = [task for identity, task in self._running.items() if identity not in self._subscriptions]
        if finite:
            await asyncio.wait(finite, timeout=self._limits.query_seconds)
        await self._outbox.drained()
        raise CloseSocket(1001, "Going away")

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise CloseSocket(0, "")
            await self._take(self._parsed(message))

    def _parsed(self, message: Message) -> dict[str, Any]:
        text = message.get("text")
        if text is None:
            raise CloseSocket(4400, "Messages are text")
        if len(text) > self._limits.body_bytes:
            raise CloseSocket(1009, "Message too big")
        try:
            value = decode(text, self._limits)
        except HttpError:
            raise CloseSocket(4400, "Invalid message received") from None
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise CloseSocket(4400, "Invalid message received")
        return value

    async def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "connection_init":
            await self._initialise(message.get("payload"))
        elif kind == "ping":
            await self._outbox.put({"type": "pong"})
        elif kind == "subscribe":
            await self._subscribe(message)
        elif kind == "complete":
            task = self._running.pop(_id(message), None)
            if task is not None:
                task.cancel()
        elif kind != "pong":
            raise CloseSocket(4400, "Invalid message received")

    async def _initialise(self, payload: Any) -> None:
        if self._session is not None:
            raise CloseSocket(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise CloseSocket(4400, "Invalid message received")
        connection = HTTPConnection(_with_authorization(self._scope, payload or {}))
        try:
            self._session = AuthenticatedConnection(connection, await self._operations.make_context(connection))
        except NotSignedIn:
            raise FORBIDDEN from None
        self._initialised.set()
        await self._outbox.put({"type": "connection_ack"})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if self._session is None:
            raise CloseSocket(4401, "Unauthorized")
        identity = _id(message)
        try:
            request = from_json(message.get("payload"))
        except HttpError:
            raise CloseSocket(4400, "Invalid message received") from None
        if identity in self._running:
            raise CloseSocket(4409, f"Subscriber for {identity[:60]} already exists")
        if len(self._running) >= self._limits.socket_operations:
            most = f"A socket runs {self._limits.socket_operations} operations at once."
            errors = [{"message": most, "extensions": {"code": "TOO_MANY_OPERATIONS"}}]
            await self._outbox.put({"id": identity, "type": "error", "payload": errors})
            return
        self._running[identity] = asyncio.create_task(self._run(identity, request, self._session))

    async def _run(self, identity: str, request: GraphQLRequest, session: AuthenticatedConnection) -> None:
        record = OperationLog(request_id=self._request_id, transport="websocket")
        count_statements(record)
        try:
            context = await self._operations.make_context(session.connection)
            try:
                ready = self._operations.ready(request, context, record)
                if ready.operation.kind is OperationType.SUBSCRIPTION:
                    self._subscriptions.add(identity)
                    async for answer in self._operations.events(ready):
                        await self._outbox.put({"id": identity, "type": "next", "payload": answer})
                    if not await still_signed_in(context):
                        raise NotSignedIn
                else:
                    await self._outbox.put(
                        {"id": identity, "type": "next", "payload": await self._operations.run(ready)}
                    )
            finally:
                await close(context)
        except Exception as error:
            refusal: HttpError | OperationRejected = self._operations.refused(error, record)
            if (
                isinstance(error, NotSignedIn)
                and self._session is not None
                and self._session.context.viewer is not None
            ):
                # The sign-in of the whole socket has ended.
                self._forbidden.set()
                return
            last = {"id": identity, "type": "error", "payload": refusal.errors}
        else:
            last = {"id": identity, "type": "complete"}
        finally:
            self._subscriptions.discard(identity)
            self._operations.done(record)
        # The id is free again before the client can know it.
        if self._running.get(identity) is asyncio.current_task():
            del self._running[identity]
        await self._outbox.put(last)


def _id(message: dict[str, Any]) -> str:
    identity = message.get("id")
    if not isinstance(identity, str) or not identity:
        raise CloseSocket(4400, "Invalid message received")
    return identity


def _with_authorization(scope: Scope, payload: dict[str, Any]) -> Scope:
    """The handshake with the token of connection_init, so that a context is made of a socket as of a request."""
    token = payload.get("authorization", payload.get("Authorization"))
    if token is None:
        return scope
    if not isinstance(token, str) or not token.isascii():
        raise FORBIDDEN
    headers = [header for header in scope["headers"] if header[0] != b"authorization"]
    return {**scope, "headers": [*headers, (b"authorization", token.encode())]}
