"""The door: the Starlette app with its routes and lifespan, and the command line."""

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from auth.links import Links
from auth.tokens import AccessTokens, BadToken
from auth.viewer import NotSignedIn, read_viewer
from commands import parser, prepare
from db.changes import Changes
from db.engine import Database
from db.file import known_files
from db.file_store import open_store
from db.mail_sender import MailSender
from db.mail_transport import open_transport
from db.migrate import missing_migrations
from db.settings import Settings, SettingsFault, read_settings
from loaders.reference import Reference
from resolvers.context import Client, Context, Services
from resolvers.exports.desk import ExportDesk
from schema.http import Documents, Limits, View, make_view
from schema.http import logs, transfers
from schema.http.metrics import Metrics
from schema.http.observe import Observe, Observer
from schema.root import make_schema

log = structlog.get_logger("waymark")

HOUSE = Path(__file__).parent


class Server:
    """One server process: its services, its view, and the app around them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        database = Database(settings.database_url, settings.read_database_url)
        transport = open_transport(settings.smtp_url, settings.mail_folder, settings.mail_from)
        self.services = Services(
            database=database,
            files=open_store(settings.files_location),
            # The newest key signs links; they live for minutes, so a rotation breaks none for long.
            links=Links(next(iter(settings.secret_keys.values()))),
            tokens=AccessTokens(settings.secret_keys),
            changes=Changes(database),
            reference=Reference(database),
            mail=MailSender(database, transport),
            base_url=settings.base_url,
            is_demo=settings.is_demo,
        )
        self.metrics = Metrics()
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
        except BadToken:
            raise NotSignedIn from None
        viewer = await read_viewer(self.services.database, claims)
        return Context(self.services, viewer, client, claims)

    def _view(self) -> View:
        documents = Documents.read(HOUSE / "queries", trusted_only=self.settings.operations == "trusted")
        return make_view(
            make_schema(self.settings.executor),
            self.context,
            Limits.read(os.environ),
            documents,
            open_introspection=self.settings.is_demo,
            allowed_origins=frozenset(self.settings.allowed_origins),
            done=Observer(self.metrics),
        )

    def _app(self) -> ASGIApp:
        desk = ExportDesk(self.services)
        routes = [
            *self.view.routes("/graphql"),
            *transfers.routes(self.services.links, self.services.files, desk),
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/", self._home),
        ]
        return Observe(Starlette(routes=routes, lifespan=self._lifespan), self.metrics)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        services = self.services
        async with AsyncExitStack() as stack:
            stack.push_async_callback(services.database.close)
            swept = await services.files.sweep(lambda keys: known_files(services.database, keys))
            log.info("started", address=self.settings.base_url, swept=swept.half_written + swept.unnamed)
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
        """Whether it can answer: the database is there, and as new as the code."""
        try:
            await self.services.database.ping()
            behind = await missing_migrations(self.services.database)
        except Exception as error:  # noqa: BLE001  whatever it is, it is not ready
            log.warning("not_ready", cause=type(error).__name__)
            return JSONResponse({"status": "the database does not answer"}, 503, {"retry-after": "5"})
        if behind:
            return JSONResponse({"status": "the database needs `server.py migrate`"}, 503)
        return JSONResponse({"status": "ok"})

    async def _home(self, _: Request) -> Response:
        return RedirectResponse("/graphql")


class _Uvicorn(uvicorn.Server):
    """Lets streams go at the first signal, so that they do not hold up the stop."""

    def __init__(self, config: uvicorn.Config, view: View) -> None:
        super().__init__(config)
        self._view = view

    def handle_exit(self, sig: int, frame: object) -> None:
        self._view.end_streams()
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> None:
    """Serves until told to stop; what runs then is finished."""
    logs.set_up()
    server = Server(settings)
    config = uvicorn.Config(
        server.app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=25,
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        ws_max_size=1_000_000,
    )
    _Uvicorn(config, server.view).run()


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
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
