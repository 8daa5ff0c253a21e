"""The protocol graphql-transport-ws on one WebSocket. Close codes and reasons are those of its PROTOCOL.md."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from auth.viewer import NotSignedIn
from transport.graphql.errors import HttpError
from transport.graphql.operation_context import OperationContext, close_context, is_still_signed_in
from transport.graphql.operation_log import OperationLog, trace_in, trace_of
from transport.graphql.operation_runner import OperationRunner
from transport.graphql.request import GraphQLRequest, decode, from_json
from transport.realtime.connection_lifecycle import ConnectionLifecycle
from transport.realtime.connection_limits import TooManyConnections
from transport.realtime.send_queue import CloseWebSocket, SendQueue

PROTOCOL = "graphql-transport-ws"


def _forbidden() -> CloseWebSocket:
    return CloseWebSocket(4403, "Forbidden")


def _no_room(reason: str) -> CloseWebSocket:
    """The code of RFC 6455's registry for "try again later": clients connect again after a while."""
    return CloseWebSocket(1013, reason)


def _invalid_message() -> CloseWebSocket:
    return CloseWebSocket(4400, "Invalid message received")


@dataclass(frozen=True, slots=True)
class AuthenticatedConnection:
    """The handshake with the token of connection_init, from which each operation gets a context of its own.

    `context` is that of the connection, by which its session is watched. `trace`: what its operations join, unless they
    say something else.
    """

    connection: HTTPConnection
    context: OperationContext
    trace: Mapping[str, str]


class WebSocketConnection:
    """One accepted WebSocket until it closes."""

    def __init__(
        self, runner: OperationRunner, lifecycle: ConnectionLifecycle, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._runner = runner
        self._limits = runner.limits
        self._lifecycle = lifecycle
        self._scope = scope
        self._receive = receive
        self._queue = SendQueue(lifecycle, send, self._limits.socket_queue)
        self._authenticated: AuthenticatedConnection | None = None
        self._signed_in = asyncio.Event()
        # Gets the exception that closes the connection, from outside of the tasks that run it.
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._subscriptions: set[str] = set()

    async def run(self) -> None:
        """Handles messages until one side closes, then cancels all running operations."""
        connections = self._lifecycle.connections
        network = self._lifecycle.network(self._scope)
        self._open = connections.open_anonymous(
            network, lambda: self._close(_no_room("Too many connections without a token"))
        )
        try:
            await self._run()
        finally:
            connections.close(self._open)

    async def _run(self) -> None:
        coroutines: list[Coroutine[Any, Any, None]] = [
            self._read_messages(),
            self._queue.send_all(),
            self._until_session_ends(),
            self._until_shutdown(),
        ]
        tasks = [*(asyncio.create_task(coroutine) for coroutine in coroutines), self._closing]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            error = next((error for task in done if (error := task.exception())), None)
        finally:
            running = [*tasks, *self._operations.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            if self._authenticated:
                await close_context(self._authenticated.context)
        if error is not None and not isinstance(error, CloseWebSocket):
            self._runner.error_response(error, OperationLog(request_id=self._request_id, transport="websocket"))
            error = CloseWebSocket(4500, "Internal server error")
        if error is not None and error.code:
            await self._queue.close(error)

    @property
    def _request_id(self) -> str:
        return self._scope.get("state", {}).get("request_id", "")

    def _close(self, closing: CloseWebSocket) -> None:
        if not self._closing.done():
            self._closing.set_exception(closing)

    async def _until_session_ends(self) -> None:
        # A connection_init without a token does not stop the clock: nobody needs a socket for long to sign in.
        try:
            async with asyncio.timeout(self._limits.init_seconds):
                await self._signed_in.wait()
        except TimeoutError:
            raise CloseWebSocket(4408, "Connection initialisation timeout") from None
        assert self._authenticated is not None
        await self._lifecycle.until_session_ends(self._authenticated.context)
        raise _forbidden()

    async def _until_shutdown(self) -> None:
        await self._lifecycle.until_shutdown()
        # Queries and mutations still get their response; only subscriptions are cancelled.
        finite = [task for id_, task in self._operations.items() if id_ not in self._subscriptions]
        if finite:
            await asyncio.wait(finite, timeout=self._limits.query_seconds)
        await self._queue.until_sent()
        raise CloseWebSocket(1001, "Going away")

    async def _read_messages(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise CloseWebSocket(0, "")
            await self._handle_message(await self._decode(message))

    async def _decode(self, message: Message) -> dict[str, Any]:
        text = message.get("text")
        if text is None:
            raise CloseWebSocket(4400, "Messages must be text")
        if len(text) > self._limits.body_bytes:
            raise CloseWebSocket(1009, "Message too big")
        if len(text) > self._limits.free_body_bytes:
            # Before a token there is nobody to charge, and nothing so long to say.
            if self._authenticated is None or self._authenticated.context.viewer is None:
                raise CloseWebSocket(1009, "Message too big before a token")
            try:
                await self._runner.charge_body(self._authenticated.context, len(text))
            except HttpError:
                raise _no_room("Too many large messages: try again after a minute") from None
        try:
            value = decode(text, self._limits)
        except HttpError:
            raise _invalid_message() from None
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise _invalid_message()
        return value

    async def _handle_message(self, message: dict[str, Any]) -> None:
        type_ = message["type"]
        if type_ == "connection_init":
            await self._handle_connection_init(message.get("payload"))
        elif type_ == "ping":
            await self._queue.put({"type": "pong"})
        elif type_ == "subscribe":
            await self._handle_subscribe(message)
        elif type_ == "complete":
            task = self._operations.pop(_id(message), None)
            if task is not None:
                task.cancel()
        elif type_ != "pong":
            raise _invalid_message()

    async def _handle_connection_init(self, payload: Any) -> None:
        if self._authenticated is not None:
            raise CloseWebSocket(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise _invalid_message()
        connection = HTTPConnection(_with_authorization(self._scope, payload or {}))
        try:
            context = await self._runner.make_context(connection)
        except NotSignedIn:
            raise _forbidden() from None
        trace = trace_in(payload) or trace_of(self._scope["headers"])
        self._authenticated = AuthenticatedConnection(connection, context, trace)
        if context.viewer is not None:
            try:
                self._lifecycle.connections.sign_in(self._open, context.viewer.user_key)
            except TooManyConnections as error:
                raise _no_room(str(error)) from None
            self._signed_in.set()
        await self._queue.put({"type": "connection_ack"})

    async def _handle_subscribe(self, message: dict[str, Any]) -> None:
        if self._authenticated is None:
            raise CloseWebSocket(4401, "Unauthorized")
        id_ = _id(message)
        try:
            request = from_json(message.get("payload"))
        except HttpError:
            raise _invalid_message() from None
        if id_ in self._operations:
            # A close frame has at most 123 bytes of reason.
            short_id = id_.encode()[:60].decode(errors="ignore")
            raise CloseWebSocket(4409, f"Subscriber for {short_id} already exists")
        maximum = self._limits.socket_operations
        if len(self._operations) >= maximum:
            text = f"A WebSocket runs at most {maximum} operations at once."
            errors = [{"message": text, "extensions": {"code": "TOO_MANY_OPERATIONS"}}]
            await self._queue.put({"id": id_, "type": "error", "payload": errors})
            return
        self._operations[id_] = asyncio.create_task(self._run_operation(id_, request, self._authenticated))

    async def _run_operation(self, id_: str, request: GraphQLRequest, authenticated: AuthenticatedConnection) -> None:
        trace = trace_in(request.extensions) or authenticated.trace
        log = OperationLog(request_id=self._request_id, transport="websocket", trace=trace)
        log.count_statements()
        try:
            context = await self._runner.make_context(authenticated.connection)
            try:
                await self._send_results(id_, request, context, log)
            finally:
                await close_context(context)
        except Exception as error:
            response = self._runner.error_response(error, log)
            if isinstance(error, NotSignedIn) and authenticated.context.viewer is not None:
                # The session of the whole connection has ended.
                self._close(_forbidden())
                return
            last = {"id": id_, "type": "error", "payload": response.errors}
        else:
            last = {"id": id_, "type": "complete"}
        finally:
            self._subscriptions.discard(id_)
            self._runner.on_complete(log)
        # The id is free before the client receives the message, so that the client can use it again at once.
        if self._operations.get(id_) is asyncio.current_task():
            del self._operations[id_]
        await self._queue.put(last)

    async def _send_results(
        self, id_: str, request: GraphQLRequest, context: OperationContext, log: OperationLog
    ) -> None:
        prepared = await self._runner.prepare(request, context, log)
        if prepared.operation.kind is not OperationType.SUBSCRIPTION:
            await self._queue.put({"id": id_, "type": "next", "payload": await self._runner.run(prepared)})
            return
        self._subscriptions.add(id_)
        async for response in self._runner.events(prepared):
            await self._queue.put({"id": id_, "type": "next", "payload": response})
        if not await is_still_signed_in(context):
            raise NotSignedIn


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise _invalid_message()
    return id_


def _with_authorization(scope: Scope, payload: dict[str, Any]) -> Scope:
    """Returns the scope of the handshake with the token of connection_init in place of its Authorization header."""
    token = payload.get("authorization", payload.get("Authorization"))
    if token is None:
        return scope
    if not isinstance(token, str) or not token.isascii():
        raise _forbidden()
    headers = [header for header in scope["headers"] if header[0] != b"authorization"]
    return {**scope, "headers": [*headers, (b"authorization", token.encode())]}
