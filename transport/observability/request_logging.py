"""The one middleware around everything: request ids, security headers, a log line and a count for each request."""

import os
import re
import time
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transport.graphql.operation_runner import OperationLog
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
    """The X-Request-Id of a request where it is well formed (8 to 64 of A-Z a-z 0-9 . _ -), else a new one."""
    for name, value in headers:
        if name == b"x-request-id":
            if _REQUEST_ID.fullmatch(value):
                return value.decode("ascii")
            break
    return os.urandom(12).hex()


class RequestLogging:
    """ASGI middleware. The request id stands in `scope["state"]["request_id"]` and is sent back as X-Request-Id.

    Security headers go on every response that does not set them itself; Strict-Transport-Security over https only. A
    request that runs operations is logged by each of them (see `OperationObserver`), every other one here.
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
        own = (b"x-request-id", request_id.encode())
        secure = scope.get("scheme") in ("https", "wss")
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._with_security(message["headers"], own, secure)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            if scope["type"] == "http":
                self._metrics.request(scope["method"], status)
                if "operation" not in state:
                    # No path: links carry their rights in it.
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
        self, given: list[tuple[bytes, bytes]], own: tuple[bytes, bytes], secure: bool
    ) -> list[tuple[bytes, bytes]]:
        names = {name for name, _ in given}
        added = self._headers
        if not names.isdisjoint(SECURITY_HEADERS):
            added = [header for header in added if header[0] not in names]
        return [*given, *added, own, TRANSPORT_SECURITY] if secure else [*given, *added, own]


class OperationObserver:
    """What is told of each operation: give it to make_view as `done`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log: Any = None

    def __call__(self, record: OperationLog) -> None:
        """Logs and counts one operation. A name that a client made up is cut at 64 characters."""
        self._metrics.operation(record)
        if self._log is None:
            # Bound once, at the first operation, when logging has been set up.
            self._log = log.bind()
        self._log.info(
            "operation",
            request_id=record.request_id,
            transport=record.transport,
            kind=record.kind,
            operation=record.saved_name or (record.name and record.name[:64]),
            viewer=record.viewer,
            role=record.role,
            cost=record.cost,
            statements=record.statements[0],
            status=record.status or None,
            code=record.code,
            ms=_milliseconds(record.started),
        )


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
