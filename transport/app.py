"""The Starlette app around the routes: cross-origin rules, request logging and the start page."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from transport.forwarded import ForwardedAddress
from transport.observability.metrics import Metrics
from transport.observability.request_logging import RequestLogging

# What a page of another origin may send and read. Cookies are not allowed: clients send their token in a header.
_METHODS = ("GET", "POST", "PUT", "PATCH", "HEAD")
_REQUEST_HEADERS = (
    "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Request-Id",
    "X-Requested-With", "GraphQL-Preflight", "GraphQL-Require-Preflight", "Apollo-Require-Preflight",
    # What clients say of the operation and of themselves.
    "X-Apollo-Operation-Name", "X-Apollo-Operation-Id", "X-Apollo-Operation-Type", "X-Apollo-Cache-Do-Not-Store",
    "X-Apollo-Cache-Key", "X-Apollo-Can-Be-Cached", "X-Apollo-Expire-After-Read", "X-Apollo-Expire-Timeout",
    "ApolloGraphQL-Client-Name", "ApolloGraphQL-Client-Version", "GraphQL-Client-Name", "GraphQL-Client-Version",
    # Uploads that go on: tus.
    "Tus-Resumable", "Upload-Offset",
    # Traces: W3C Trace Context and Baggage, Sentry.
    "Traceparent", "Tracestate", "Baggage", "Sentry-Trace",
)  # fmt: skip
_RESPONSE_HEADERS = (
    "ETag", "Retry-After", "X-Request-Id", "Content-Disposition", "Tus-Resumable", "Upload-Offset", "Upload-Length",
)  # fmt: skip

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def make_app(
    routes: Sequence[BaseRoute],
    *,
    start_page: str,
    allowed_origins: Sequence[str],
    allowed_headers: Sequence[str],
    lifespan: Lifespan,
    metrics: Metrics,
    trusted_proxies: str,
) -> ASGIApp:
    """The app for the routes. `start_page` is the path that `/` redirects to; `lifespan` runs while the app serves.

    `allowed_headers`: headers that pages of `allowed_origins` may send in addition to the usual ones.
    `trusted_proxies`: addresses and networks, with commas, whose X-Forwarded-… headers are trusted.
    """

    async def redirect(_: Request) -> Response:
        return RedirectResponse(start_page)

    cors = Middleware(
        CORSMiddleware,
        allow_origins=allowed_origins,
        allow_methods=_METHODS,
        allow_headers=[*_REQUEST_HEADERS, *allowed_headers],
        expose_headers=_RESPONSE_HEADERS,
    )
    app = Starlette(
        routes=[*routes, Route("/", redirect)], middleware=[cors] if allowed_origins else [], lifespan=lifespan
    )
    return ForwardedAddress(RequestLogging(app, metrics), trusted_proxies, metrics)
