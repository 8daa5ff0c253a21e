"""The door: the Starlette app with its routes and lifespan, and the command line."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from auth.signed_urls import SignedUrls
from auth.tokens import AccessTokens, InvalidToken
from auth.viewer import NotSignedIn, read_viewer
from commands import parser, prepare
from db.database import Database
from db.migrate import missing_migrations
from loaders.core.qualification_cache import QualificationCache
from repositories.file import known_files
from resolvers.core.context import Client, Context, Services
from resolvers.exports.export_service import ExportService
from resolvers.password import reset_from_page
from schema.root import make_schema
from services.change_feed import ChangeFeed
from services.mail.sender import MailSender
from services.mail.transport import open_transport
from services.settings import Settings, SettingsError, read_settings
from services.storage.file_store import open_store
from transport.files import file_endpoints as transfers
from transport.graphql import GraphQLEndpoint, Limits, PersistedDocuments, make_endpoint
from transport.observability import logs
from transport.observability.metrics import Metrics
from transport.observability.metrics_server import serving_metrics
from transport.observability.request_logging import OperationObserver, RequestLogging
from transport.observability.tracing import open_tracing
from transport.pages import password_page
from transport.pages.graphiql import graphiql
from transport.pages.static_app import static_app
from transport.timeout_protocol import TimeoutProtocol

log = structlog.get_logger("waymark")

HOUSE = Path(__file__).parent

# An upload that stands still is cut within the half minute in which every half-sent request is.
_IDLE_SECONDS = 25.0

# What a page of another origin may send, and read of the answer. No cookies: a token is sent by whoever holds it.
_CROSS_ORIGIN = {
    "allow_methods": ("GET", "POST", "PUT"),
    "allow_headers": (
        "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Request-Id",
        "X-Requested-With", "GraphQL-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name",
    ),
    "expose_headers": ("ETag", "Retry-After", "X-Request-Id", "Content-Disposition"),
}  # fmt: skip


class Server:
    """One server process: its services, its view, and the app around them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        database = Database(settings.database_url, settings.read_database_url, settings.pool_size)
        transport = open_transport(settings.smtp_url, settings.mail_folder, settings.mail_from)
        self.services = Services(
            database=database,
            files=open_store(settings.files_location),
            # The newest key signs links; they live for minutes, so a rotation breaks none for long.
            links=SignedUrls(next(iter(settings.secret_keys.values()))),
            tokens=AccessTokens(settings.secret_keys),
            changes=ChangeFeed(database),
            qualifications=QualificationCache(database),
            mail=MailSender(database, transport),
            base_url=settings.base_url,
            is_demo=settings.is_demo,
        )
        self.metrics = Metrics()
        self.tracing = open_tracing(os.environ, database)
        self.leaving = False
        self.documents = PersistedDocuments.read(HOUSE / "queries", trusted_only=settings.operations == "trusted")
        self.view = self._view()
        self.metrics.watch(self.view)
        self.app = self._app()

    async def context(self, connection: HTTPConnection) -> Context:
        """One operation's context; raises NotSignedIn for a token that is none of ours or no longer good."""
        client = Client(
            address=connection.client.host if connection.client else "unknown",
            request_id=connection.scope.get("state", {}).get("request_id"),
            idempotency_key=connection.headers.get("idempotency-key") or None,
        )
        authorization = connection.headers.get("authorization")
        if authorization is None:
            return Context(self.services, client=client)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("Send the access token as `Authorization: Bearer …`.")
        try:
            claims = self.services.tokens.verify(token.strip())
        except InvalidToken:
            raise NotSignedIn from None
        viewer = await read_viewer(self.services.database, claims)
        return Context(self.services, viewer, client, claims)

    def _view(self) -> GraphQLEndpoint:
        observer = OperationObserver(self.metrics)
        try:
            limits = Limits.read(os.environ)
        except ValueError as error:
            raise SettingsError([str(error)]) from None
        return make_endpoint(
            make_schema(self.settings.executor),
            self.context,
            limits,
            self.documents,
            open_introspection=self.settings.is_demo,
            allowed_origins=frozenset(self.settings.allowed_origins),
            on_complete=self.tracing.observing(observer) if self.tracing else observer,
        )

    def _app(self) -> ASGIApp:
        export_service = ExportService(self.services)
        routes = [
            *self._graph("/graphql"),
            *transfers.routes(self.services.links, self.services.files, export_service, idle_seconds=_IDLE_SECONDS),
            *password_page.routes(self._set_password),
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/", self._home),
            *static_app("/kpi", HOUSE / "web"),
        ]
        origins = self.settings.allowed_origins
        middleware = [Middleware(CORSMiddleware, allow_origins=origins, **_CROSS_ORIGIN)] if origins else []
        return RequestLogging(Starlette(routes=routes, middleware=middleware, lifespan=self._lifespan), self.metrics)

    async def _set_password(self, token: str, new_password: str, address: str, request_id: str | None) -> None:
        await reset_from_page(self.services, token, new_password, Client(address, request_id))

    def _graph(self, path: str) -> list[BaseRoute]:
        if self.settings.graphiql:
            return graphiql(path, self.view, HOUSE / "graphiql", self.documents, self.settings.is_demo)
        return self.view.routes(path)

    def leave(self) -> None:
        """The process is about to stop: /ready says so, and streams are let go, which would hold up the stop."""
        self.leaving = True
        self.view.end_streams()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        services = self.services
        async with AsyncExitStack() as stack:
            stack.push_async_callback(services.database.close)
            await services.database.tune()
            swept = await services.files.sweep(lambda keys: known_files(services.database, keys))
            where = await stack.enter_async_context(serving_metrics(self.metrics, self.settings.metrics_address))
            if self.tracing:
                stack.push_async_callback(asyncio.to_thread, self.tracing.close)
            left_behind = swept.incomplete + swept.unreferenced
            log.info("started", address=self.settings.base_url, metrics=where, swept=left_behind)
            await stack.enter_async_context(services.database.monitoring())
            await stack.enter_async_context(services.mail.running())
            await stack.enter_async_context(services.changes.listening())
            # What is alive now lives as long as the process: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)
            yield
            log.info("stopping")

    async def _health(self, _: Request) -> Response:
        """Whether the process runs."""
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        """Whether to send it requests: the database is there and as new as the code, and the process stays."""
        if self.leaving:
            return JSONResponse({"status": "stopping"}, 503)
        try:
            await self.services.database.ping()
            behind = await missing_migrations(self.services.database)
        except Exception as error:
            log.warning("not_ready", cause=type(error).__name__)
            return JSONResponse({"status": "the database does not answer"}, 503, {"retry-after": "5"})
        if behind:
            return JSONResponse({"status": "the database needs `server.py migrate`"}, 503)
        return JSONResponse({"status": "ok"})

    async def _home(self, _: Request) -> Response:
        return RedirectResponse("/graphql" if self.settings.graphiql else "/kpi")


class _Uvicorn(uvicorn.Server):
    """Says that it leaves at the first signal, goes on for as long as a proxy takes to see it, and then stops."""

    def __init__(self, config: uvicorn.Config, server: Server) -> None:
        super().__init__(config)
        self._server = server
        # The signal, and when to follow it.
        self._told: tuple[int, float] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._server.leave()
        # Read by PatientProtocol.
        self.server_state.leaving = True  # type: ignore[attr-defined]
        seconds = self._server.settings.drain_seconds
        if seconds and self._told is None:
            self._told = sig, time.monotonic() + seconds
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._told is not None and not self.should_exit and time.monotonic() >= self._told[1]:
            super().handle_exit(self._told[0], None)
        return await super().on_tick(counter)


def serve(settings: Settings) -> None:
    """Serves until told to stop; what runs then is finished."""
    logs.set_up()
    server = Server(settings)
    config = uvicorn.Config(
        server.app,
        host=settings.host,
        port=settings.port,
        http=TimeoutProtocol,
        access_log=False,
        log_config=None,
        # Longer than a proxy keeps an idle connection: who sends on it should not find it closed.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=25,
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        ws_max_size=1_000_000,
    )
    _Uvicorn(config, server).run()


def main(arguments: list[str] | None = None) -> int:
    """The command line: `serve` unless another command is named; gives the exit status."""
    asked = parser().parse_args(arguments)
    try:
        settings = read_settings()
        if asked.command in (None, "serve"):
            prepare(settings)
            serve(settings)
            return 0
        return asked.run(settings, asked)
    except SettingsError as fault:
        print(fault, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
