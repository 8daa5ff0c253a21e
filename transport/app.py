"""The Starlette app around the routes: cross-origin rules, request logging and the start page."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

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
    posts: Mapping[str, ASGIApp],
) -> ASGIApp:
    """The app for the routes. `start_page` is the path that `/` redirects to; `lifespan` runs while the app serves.

    `posts`: by path, routes whose POST requests need nothing of Starlette: they answer all errors themselves.

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
    # Pages of other origins need the headers that Starlette's middleware adds.
    served: ASGIApp = app if allowed_origins else PostsFirst(app, posts)
    return ForwardedAddress(RequestLogging(served, metrics), trusted_proxies, metrics)


class PostsFirst:
    """ASGI app: passes POST requests to certain paths on at once, the rest to another app.

    Starlette's app calls some 60 functions to find a route, and to catch what a route does not.
    """

    def __init__(self, app: ASGIApp, posts: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["method"] == "POST" and not scope.get("root_path"):
            app = self._posts.get(scope["path"], app)
        await app(scope, receive, send)
