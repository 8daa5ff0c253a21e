"""The outermost middleware: request ids, security headers, and a log line and a count for each request."""

import os
import re
import time
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transport.graphql.operation_log import OperationLog
from transport.observability.metrics import Metrics

log = structlog.get_logger("waymark.http")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

SECURITY_HEADERS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        b"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def request_id_of(headers: list[tuple[bytes, bytes]]) -> str:
    """Returns the X-Request-Id of a request if it is valid (8 to 64 of A-Z a-z 0-9 . _ -), else a new id."""
    for name, value in headers:
        if name == b"x-request-id":
            if _REQUEST_ID.fullmatch(value):
                return value.decode("ascii")
            break
    return os.urandom(12).hex()


class RequestLogging:
    """ASGI middleware. The request id is in `scope["state"]["request_id"]` and in the response's X-Request-Id.

    Adds security headers to every response that does not set them itself; Strict-Transport-Security over https only.
    Logs every request but those to the GraphQL endpoint, whose operations `OperationObserver` logs.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._headers = list(SECURITY_HEADERS.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = request_id_of(scope["headers"])
        id_header = (b"x-request-id", request_id.encode())
        secure = scope.get("scheme") in ("https", "wss")
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._with_security(message["headers"], id_header, secure)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            if scope["type"] == "http":
                self._metrics.request(scope["method"], status)
                if "operation" not in state:
                    # The route and not the path, which may contain a signed URL.
                    route = scope.get("route")
                    log.info(
                        "request",
                        request_id=request_id,
                        method=scope["method"],
                        route=getattr(route, "path", None),
                        status=status,
                        ms=_milliseconds(started),
                    )

    def _with_security(
        self, headers: list[tuple[bytes, bytes]], id_header: tuple[bytes, bytes], secure: bool
    ) -> list[tuple[bytes, bytes]]:
        names = {name for name, _ in headers}
        added = self._headers
        if not names.isdisjoint(SECURITY_HEADERS):
            added = [header for header in added if header[0] not in names]
        return [*headers, *added, id_header, *([TRANSPORT_SECURITY] if secure else ())]


class OperationObserver:
    """Logs and counts each operation: the `on_complete` of `make_endpoint`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._logger: Any = None

    def __call__(self, operation: OperationLog) -> None:
        """Logs and counts one operation. A name that is not saved is cut to 64 characters."""
        self._metrics.operation(operation)
        if self._logger is None:
            # Bound at the first operation, because logging is not configured before.
            self._logger = log.bind()
        self._logger.info(
            "operation",
            request_id=operation.request_id,
            transport=operation.transport,
            kind=operation.kind,
            operation=operation.saved_name or (operation.name and operation.name[:64]),
            viewer=operation.viewer,
            access_key=operation.access_key,
            role=operation.role,
            cost=operation.cost,
            statements=operation.statements[0],
            status=operation.status or None,
            code=operation.code,
            ms=_milliseconds(operation.started),
        )


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
