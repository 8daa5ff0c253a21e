"""GraphQL over HTTP: one ASGI endpoint for POST, GET, event streams and sockets."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from strawberry import Schema

from transport.graphql.errors import BAD_REQUEST, UNAUTHENTICATED, HttpError, OperationRejected, operation_rejected
from transport.graphql.negotiation import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    JSON,
    OFFERED,
    acceptable,
    check_body_type,
    check_preflight,
)
from transport.graphql.operation_context import close
from transport.graphql.operation_runner import (
    MakeContext,
    OperationLog,
    OperationRunner,
    PreparedOperation,
    count_statements,
)
from transport.graphql.persisted_documents import PersistedDocuments
from transport.graphql.request import (
    ClientDisconnected,
    GraphQLRequest,
    bad_request,
    decode,
    from_json,
    from_query_string,
    read_body,
)
from transport.limits import Limits
from transport.realtime.connection_lifecycle import ConnectionLifecycle
from transport.realtime.graphql_transport_ws import WebSocketEndpoint
from transport.realtime.sse import stream

ALLOW = (b"allow", b"GET, POST")
_CONTENT_TYPES = {name: (b"content-type", f"{name}; charset=utf-8".encode()) for name in OFFERED}
# The moment at which numbers were read.
_MADE_AT = re.compile(rb'"generatedAt":"[^"]*"')
_NO_STORE = (b"cache-control", b"no-store")
_REVALIDATE = (b"cache-control", b"private, no-cache")
_VARY = (b"vary", b"Accept, Authorization")


class GraphQLEndpoint:
    """The endpoint. What a middleware may want to know of an operation stands in `scope["state"]["operation"]`.

    `counts` are the hits and misses of the kept documents; `end_streams()` lets open streams and sockets go, for the
    moment the server is told to stop.
    """

    def __init__(self, operations: OperationRunner, allowed_origins: frozenset[str]) -> None:
        self._operations = operations
        self._limits = operations.limits
        self._streams = ConnectionLifecycle(operations.limits)
        self._sockets = WebSocketEndpoint(operations, self._streams, allowed_origins)
        self.counts = operations.preparation.counts

    def routes(self, path: str = "/graphql") -> list[BaseRoute]:
        """The routes that a Starlette app needs for requests and sockets."""
        return [Route(path, self), WebSocketRoute(path, self)]

    def end_streams(self) -> None:
        """Ends every event stream and closes every socket with 1001; new ones are refused."""
        self._streams.end()

    @property
    def open_sockets(self) -> int:
        """How many sockets are open."""
        return self._sockets.open

    @property
    def open_streams(self) -> int:
        """How many event streams are open."""
        return self._streams.open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        record = state["operation"] = OperationLog(request_id=state.get("request_id", ""))
        headers = dict(scope["headers"])
        accepted = acceptable(headers.get(b"accept"))
        media_type = next((name for name in accepted if name != EVENT_STREAM), JSON)
        try:
            await self._handle(scope, receive, send, headers, accepted, record)
        except ClientDisconnected:
            record.code = "GONE"
        except Exception as error:
            refusal = self._operations.refused(error, record)
            await _respond(send, record, *_refusal_answer(refusal, media_type))
        finally:
            self._operations.done(record)

    async def _handle(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, bytes],
        accepted: tuple[str, ...],
        record: OperationLog,
    ) -> None:
        request = await self._asked(scope, receive, headers, accepted)
        count_statements(record)
        connection: HTTPConnection = HTTPConnection(scope)
        context = await self._operations.make_context(connection)
        try:
            if accepted[0] == EVENT_STREAM:
                await stream(self._operations, self._streams, request, context, connection, receive, send, record)
                return
            ready = self._operations.ready(request, context, record)
            if ready.operation.kind is OperationType.SUBSCRIPTION:
                if EVENT_STREAM not in accepted:
                    raise operation_rejected(
                        "A subscription is answered as text/event-stream, or over graphql-transport-ws.", BAD_REQUEST
                    )
                await stream(
                    self._operations, self._streams, request, context, connection, receive, send, record, ready
                )
                return
            if scope["method"] == "GET" and ready.operation.kind is not OperationType.QUERY:
                raise HttpError(
                    405, BAD_REQUEST, "A GET runs queries only: send this with POST.", ((b"allow", b"POST"),)
                )
            answer = await self._operations.run(ready)
            await self._answer(send, scope, headers, accepted[0], ready, answer)
        finally:
            await close(context)

    async def _asked(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], accepted: tuple[str, ...]
    ) -> GraphQLRequest:
        method = scope["method"]
        if method not in ("POST", "GET"):
            raise HttpError(405, BAD_REQUEST, "GraphQL is asked with GET or POST.", (ALLOW,))
        if not accepted:
            raise HttpError(406, BAD_REQUEST, f"Answers come as {', '.join(OFFERED)}.")
        if method == "GET":
            check_preflight(headers)
            return from_query_string(scope["query_string"], self._limits)
        check_body_type(headers)
        body = await read_body(receive, headers.get(b"content-length"), self._limits)
        if not body:
            raise bad_request("The body is empty: send a JSON object with a query.")
        return from_json(decode(body, self._limits))

    @staticmethod
    async def _answer(
        send: Send,
        scope: Scope,
        headers: dict[bytes, bytes],
        media_type: str,
        ready: PreparedOperation,
        answer: dict[str, Any],
    ) -> None:
        body = orjson.dumps(answer)
        if scope["method"] == "POST" or "errors" in answer:
            status = 200
            if media_type == GRAPHQL_JSON and answer["data"] is None and ready.record.code == UNAUTHENTICATED:
                status = 401
            await _respond(send, ready.record, status, (_CONTENT_TYPES[media_type], _NO_STORE), body)
            return
        # What is left of the budget is no part of what was asked, and numbers that are the same a minute later are no news:
        # the tag stands for what the data says, to one viewer.
        data = _MADE_AT.sub(b"", orjson.dumps(answer["data"]))
        tag = (
            b'W/"'
            + hashlib.blake2b(f"{ready.record.viewer} {ready.record.role} ".encode() + data, digest_size=16)
            .hexdigest()
            .encode()
            + b'"'
        )
        caching = ((b"etag", tag), _REVALIDATE, _VARY)
        if _names_tag(headers.get(b"if-none-match"), tag):
            await _respond(send, ready.record, 304, caching, b"")
            return
        await _respond(send, ready.record, 200, (_CONTENT_TYPES[media_type], *caching), body)


def _names_tag(if_none_match: bytes | None, tag: bytes) -> bool:
    if if_none_match is None:
        return False
    weak = tag.removeprefix(b"W/")
    return any(each.strip().removeprefix(b"W/") in (weak, b"*") for each in if_none_match.split(b","))


def _refusal_answer(
    refusal: HttpError | OperationRejected, media_type: str
) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
    headers = (_CONTENT_TYPES[media_type], _NO_STORE)
    body = orjson.dumps({"errors": refusal.errors})
    if isinstance(refusal, HttpError):
        return refusal.status, headers + refusal.headers, body
    return (400 if media_type == GRAPHQL_JSON else 200), headers, body


async def _respond(
    send: Send, record: OperationLog, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes
) -> None:
    record.status = status
    length = () if status == 304 else ((b"content-length", str(len(body)).encode()),)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})


def make_endpoint(
    schema: Schema,
    make_context: MakeContext,
    limits: Limits | None = None,
    documents: PersistedDocuments | None = None,
    *,
    open_introspection: bool = False,
    allowed_origins: frozenset[str] = frozenset(),
    done: Callable[[OperationLog], None] = lambda record: None,
) -> GraphQLEndpoint:
    """The endpoint for a schema.

    `make_context(connection)` gives the context of one operation: `viewer` (None, or with `user_key`, `role` and
    `expires_at`), `client` (with `address`), `await still_signed_in()` and `close()`; it raises NotSignedIn for a bad
    token, which is answered with 401. `open_introspection` is for the demo: callers who are not signed in may
    introspect and read why a document is refused. `allowed_origins` are further origins, such as https://app.example,
    whose pages may open sockets. `done` is told of each operation at its end, for logs and metrics.

    Raises ValueError where a saved operation does not fit the schema.
    """
    operations = OperationRunner(
        schema, make_context, limits or Limits(), documents or PersistedDocuments({}), open_introspection, done
    )
    return GraphQLEndpoint(operations, allowed_origins)
