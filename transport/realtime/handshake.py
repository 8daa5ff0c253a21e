"""The WebSocket handshake: origins, the subprotocol, and whether another connection may be opened."""

from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from transport.graphql.operation_runner import OperationRunner
from transport.realtime.connection_lifecycle import ConnectionLifecycle
from transport.realtime.graphql_transport_ws import PROTOCOL, WebSocketConnection

# The subprotocol of the library subscriptions-transport-ws, which is not maintained any more.
LEGACY = "graphql-ws"
_REFUSAL = (
    b"This server speaks the subprotocol graphql-transport-ws: use the library graphql-ws (npm) or one that is based "
    b"on it. graphql-ws is the name of the older subprotocol, of the library subscriptions-transport-ws.\n"
)

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class WebSocketEndpoint:
    """Accepts WebSockets of the own and of allowed origins that speak graphql-transport-ws."""

    def __init__(
        self, runner: OperationRunner, lifecycle: ConnectionLifecycle, allowed_origins: frozenset[str]
    ) -> None:
        self._runner = runner
        self._lifecycle = lifecycle
        self._allowed_origins = allowed_origins
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        await receive()
        allowed = is_origin_allowed(headers.get(b"origin"), headers.get(b"host"), self._allowed_origins)
        if not allowed or self._lifecycle.is_shutting_down or self._lifecycle.connections.is_full:
            # Closing before accepting answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        offered = scope.get("subprotocols", ())
        if PROTOCOL not in offered and LEGACY in offered:
            await _refuse(scope, send)
            return
        if PROTOCOL not in offered:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        self.open += 1
        try:
            await WebSocketConnection(self._runner, self._lifecycle, scope, receive, send).run()
        finally:
            self.open -= 1


async def _refuse(scope: Scope, send: Send) -> None:
    """Answers the handshake with 400 and a sentence: browsers show it, and no close reason before a handshake."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 4406})
        return
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_REFUSAL)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "websocket.http.response.start", "status": 400, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": _REFUSAL})


def is_origin_allowed(origin: bytes | None, host: bytes | None, allowed: frozenset[str]) -> bool:
    """Whether a page of the origin may open a WebSocket: browsers send no preflight for these.

    True without an origin, because a browser always sends one, and for the server's own and the allowed origins.
    """
    if origin is None:
        return True
    name = origin.decode("latin-1").lower().rstrip("/")
    if name in {each.lower().rstrip("/") for each in allowed}:
        return True
    try:
        parts = urlsplit(name)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        own = urlsplit("//" + (host or b"").decode("latin-1").lower())
        own_port = own.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return False
    return bool(parts.scheme in ("http", "https") and parts.hostname) and (parts.hostname, port) == (
        own.hostname,
        own_port,
    )
