"""The client's address behind a proxy, and a warning of a proxy that is not trusted."""

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from transport.observability.metrics import Metrics

log = structlog.get_logger("waymark.http")

_HEADER = b"x-forwarded-for"


class ForwardedAddress:
    """ASGI middleware: takes the client's address and scheme from the X-Forwarded-… headers of trusted proxies.

    The headers of anybody else are ignored. That is logged once a process and counted, because behind a proxy that is
    not trusted all users have one address, and share the limits of strangers.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: str, metrics: Metrics) -> None:
        # uvicorn types its own applications, which are the same.
        self._trusting = ProxyHeadersMiddleware(app, trusted_proxies)  # type: ignore[arg-type]
        self._metrics = metrics
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and any(name == _HEADER for name, _ in scope["headers"]):
            client = scope.get("client")
            if client and client[0] not in self._trusting.trusted_hosts:
                self._note(client[0])
        await self._trusting(scope, receive, send)  # type: ignore[arg-type]

    def _note(self, address: str) -> None:
        self._metrics.untrusted_proxy()
        if not self._warned:
            self._warned = True
            log.warning(
                "untrusted_proxy",
                address=address,
                hint="if this is your proxy, add its address to WAYMARK_TRUSTED_PROXIES",
            )
