"""GraphQL over HTTP: one ASGI endpoint for POST, GET, server-sent events and WebSockets."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from strawberry import Schema

from transport.graphql.document_cache import CacheStats
from transport.graphql.errors import (
    BAD_REQUEST,
    UNAUTHENTICATED,
    HttpError,
    OperationRejected,
    bad_request,
    operation_rejected,
)
from transport.graphql.negotiation import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    OFFERED,
    acceptable,
    check_body_type,
    check_preflight,
)
from transport.graphql.operation_context import MakeContext, close_context
from transport.graphql.operation_log import OperationLog, trace_in, trace_of
from transport.graphql.operation_runner import OperationRunner
from transport.graphql.persisted_documents import PersistedDocuments
from transport.graphql.prepared_document import PreparedOperation
from transport.graphql.request import (
    ClientDisconnected,
    GraphQLRequest,
    client_of,
    decode,
    from_json,
    from_query_string,
    read_body,
)
from transport.limits import Limits
from transport.realtime.connection_lifecycle import ConnectionLifecycle
from transport.realtime.connection_limits import OpenConnections
from transport.realtime.handshake import WebSocketEndpoint
from transport.realtime.sse import EventStreamHandler

Headers = tuple[tuple[bytes, bytes], ...]

ALLOW = (b"allow", b"GET, POST")
_CONTENT_TYPES = {name: (b"content-type", f"{name}; charset=utf-8".encode()) for name in OFFERED}
# The time at which figures were computed: it changes with every response, so an ETag leaves it out.
_GENERATED_AT = re.compile(rb'"generatedAt":"[^"]*"')
_AUTHENTICATE = (b"www-authenticate", b"Bearer")
_NO_STORE = (b"cache-control", b"no-store")
_REVALIDATE = (b"cache-control", b"private, no-cache")
_VARY = (b"vary", b"Accept, Accept-Language, Authorization")


class GraphQLEndpoint:
    """The ASGI endpoint. The OperationLog of a request is in `scope["state"]["operation"]`, for middleware."""

    def __init__(self, runner: OperationRunner, allowed_origins: frozenset[str]) -> None:
        self.runner = runner
        self._lifecycle = ConnectionLifecycle(runner.limits)
        self._websockets = WebSocketEndpoint(runner, self._lifecycle, allowed_origins)

    def routes(self, path: str = "/graphql") -> list[BaseRoute]:
        """Returns the routes of a Starlette app for requests and WebSockets."""
        return [Route(path, self), WebSocketRoute(path, self)]

    def end_streams(self) -> None:
        """Ends all event streams and closes all WebSockets with 1001, for a server that stops. Rejects new ones."""
        self._lifecycle.shut_down()

    @property
    def cache_stats(self) -> CacheStats:
        """Hits and misses of the document cache."""
        return self.runner.document_cache.stats

    @property
    def open_sockets(self) -> int:
        """The number of open WebSockets."""
        return self._websockets.open

    @property
    def open_streams(self) -> int:
        """The number of open event streams."""
        return self._lifecycle.open_streams

    @property
    def connections(self) -> OpenConnections:
        """The open WebSockets and event streams, and how many were closed or refused because of the limits."""
        return self._lifecycle.connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websockets(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        log = state["operation"] = OperationLog(
            request_id=state.get("request_id", ""), trace=trace_of(scope["headers"])
        )
        exchange = _Exchange(self.runner, self._lifecycle, scope, receive, send, log)
        try:
            await exchange.handle()
        except ClientDisconnected:
            log.code = "CLIENT_DISCONNECTED"
        except Exception as error:
            await exchange.send_error(self.runner.error_response(error, log))
        finally:
            self.runner.on_complete(log)


class _Exchange:
    """One HTTP request and its response."""

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
        self._scope = scope
        self._receive = receive
        self._send = send
        self._log = log
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._accepted = acceptable(self._headers.get(b"accept"))

    async def handle(self) -> None:
        """Reads the request, runs its operation and sends the response. Raises whatever prevents that."""
        body = await self._read_body()
        large = len(body) > self._runner.limits.free_body_bytes
        # A large one is not decoded before it is known who pays for that.
        request = None if large else self._decode(body)
        self._log.count_statements()
        context = await self._runner.make_context(HTTPConnection(self._scope))
        try:
            if request is None:
                await self._runner.charge_body(context, len(body))
                request = self._decode(body)
            if self._accepted[0] == EVENT_STREAM:
                await self._event_stream().handle(request, context)
                return
            prepared = await self._runner.prepare(request, context, self._log)
            if prepared.operation.kind is OperationType.SUBSCRIPTION:
                if EVENT_STREAM not in self._accepted:
                    raise operation_rejected(
                        f"A subscription needs Accept: {EVENT_STREAM}, or a WebSocket with graphql-transport-ws.",
                        BAD_REQUEST,
                    )
                await self._event_stream().subscribe(prepared)
                return
            if self._scope["method"] == "GET" and prepared.operation.kind is not OperationType.QUERY:
                raise HttpError(405, BAD_REQUEST, "A GET request runs queries only: use POST.", ((b"allow", b"POST"),))
            await self._send_response(prepared, await self._runner.run(prepared))
        finally:
            await close_context(context)

    def _event_stream(self) -> EventStreamHandler:
        return EventStreamHandler(self._runner, self._lifecycle, self._scope, self._receive, self._send, self._log)

    async def _read_body(self) -> bytes:
        """Checks the method and the headers, and returns the body; an empty one for GET."""
        method, limits = self._scope["method"], self._runner.limits
        if method not in ("POST", "GET"):
            raise HttpError(405, BAD_REQUEST, "The method must be GET or POST.", (ALLOW,))
        if not self._accepted:
            raise HttpError(406, BAD_REQUEST, f"Accept must allow one of {', '.join(OFFERED)}.")
        if method == "GET":
            check_preflight(self._headers)
            return b""
        check_body_type(self._headers)
        body = await read_body(self._receive, self._headers.get(b"content-length"), limits)
        if not body:
            raise bad_request("The body must not be empty: it is a JSON object with a query.")
        return body

    def _decode(self, body: bytes) -> GraphQLRequest:
        limits = self._runner.limits
        if self._scope["method"] == "GET":
            request = from_query_string(self._scope["query_string"], limits)
        else:
            request = from_json(decode(body, limits))
        self._log.trace = self._log.trace or trace_in(request.extensions)
        client = client_of(self._headers)
        return request if client is None else replace(request, client=client)

    async def _send_response(self, prepared: PreparedOperation, response: dict[str, Any]) -> None:
        body = orjson.dumps(response)
        content_type = _CONTENT_TYPES[self._accepted[0]]
        if self._scope["method"] == "POST" or "errors" in response:
            unauthenticated = response["data"] is None and self._log.code == UNAUTHENTICATED
            if unauthenticated and self._accepted[0] == GRAPHQL_JSON:
                await self._respond(401, (content_type, _NO_STORE, _AUTHENTICATE), body)
            else:
                await self._respond(200, (content_type, _NO_STORE), body)
            return
        etag = self._etag(orjson.dumps(response["data"]))
        caching = ((b"etag", etag), _REVALIDATE, _VARY)
        if _matches(self._headers.get(b"if-none-match"), etag):
            await self._respond(304, caching, b"")
            return
        await self._respond(200, (content_type, *caching), body)

    def _etag(self, data: bytes) -> bytes:
        """Returns a weak ETag of one viewer's data, without the rest of the response: that is not the resource."""
        viewer = f"{self._log.viewer} {self._log.role} ".encode()
        digest = hashlib.blake2b(viewer + _GENERATED_AT.sub(b"", data), digest_size=16).hexdigest()
        return f'W/"{digest}"'.encode()

    async def send_error(self, error: HttpError | OperationRejected) -> None:
        """Sends a response without data."""
        media_type = next((name for name in self._accepted if name != EVENT_STREAM), JSON)
        headers: Headers = (_CONTENT_TYPES[media_type], _NO_STORE)
        body = orjson.dumps({"errors": error.errors})
        if isinstance(error, HttpError):
            await self._respond(error.status, headers + error.headers, body)
        elif media_type != GRAPHQL_JSON:
            await self._respond(200, headers, body)
        elif self._log.code == UNAUTHENTICATED:
            await self._respond(401, (*headers, _AUTHENTICATE), body)
        else:
            await self._respond(400, headers, body)

    async def _respond(self, status: int, headers: Headers, body: bytes) -> None:
        self._log.status = status
        length = () if status == 304 else ((b"content-length", str(len(body)).encode()),)
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
        await self._send({"type": "http.response.body", "body": body})


def _matches(if_none_match: bytes | None, etag: bytes) -> bool:
    if if_none_match is None:
        return False
    weak = etag.removeprefix(b"W/")
    return any(each.strip().removeprefix(b"W/") in (weak, b"*") for each in if_none_match.split(b","))


def make_endpoint(
    schema: Schema,
    make_context: MakeContext,
    limits: Limits | None = None,
    documents: PersistedDocuments | None = None,
    *,
    open_introspection: bool = False,
    allowed_origins: frozenset[str] = frozenset(),
    on_complete: Callable[[OperationLog], None] = lambda log: None,
) -> GraphQLEndpoint:
    """Makes the endpoint of a schema.

    `make_context(connection)` makes the context of one operation, or raises NotSignedIn for an invalid token, which is
    answered with 401. `open_introspection`, for the demo, lets anonymous callers introspect and read why a document is
    invalid. Pages of `allowed_origins`, such as https://app.example, may open WebSockets too. `on_complete` is called
    at the end of each operation, for logs and metrics.

    Raises ValueError if a saved operation does not fit the schema.
    """
    runner = OperationRunner(
        schema, make_context, limits or Limits(), documents or PersistedDocuments({}), open_introspection, on_complete
    )
    return GraphQLEndpoint(runner, allowed_origins)
