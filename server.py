"""Composes and starts Waymark: settings, services, app, command line.

Each function imports what it composes: `server.py --help` and a command that needs no server load none of it.
"""

import asyncio
import functools
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.command_line import make_parser
from services.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from resolvers.core.context import Services
    from transport.graphql import GraphQLEndpoint, PersistedDocuments
    from transport.graphql.operation_runner import OperationLog
    from transport.health import Health
    from transport.observability.metrics import Metrics
    from transport.observability.tracing import Tracing

ROOT = Path(__file__).parent
# New files and folders are for the user of the process alone.
UMASK = 0o077


@dataclass(slots=True)
class Server:
    """One server process: its settings and services, and the app that it serves."""

    settings: Settings
    services: "Services"
    endpoint: "GraphQLEndpoint"
    health: "Health"
    app: "ASGIApp"

    def drain(self) -> None:
        """Prepares for the end of the process: /ready answers 503, and streams, which never end by themselves, end."""
        self.health.stopping = True
        self.endpoint.end_streams()


def build_services(settings: Settings) -> "Services":
    """Everything that a server process has one of. Raises SettingsError for a quota or a store that cannot be used."""
    from auth.lasting_links import LastingLinks
    from auth.one_time_secrets import OneTimeSecrets
    from auth.signed_urls import SignedUrls
    from auth.tokens import AccessTokens
    from db.database import Database
    from db.postgres_connection import ConnectionOptions, Pooler
    from loaders.core.qualification_cache import QualificationCache
    from resolvers.core.context import Services
    from services.change_feed.feed import ChangeFeed
    from services.mail.sender import MailSender
    from services.mail.transport import open_transport
    from services.push.sender import open_push
    from services.quotas import Quotas
    from services.storage.file_store import open_store

    try:
        quotas = Quotas.read(os.environ)
        files = open_store(settings.files_location)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    options = ConnectionOptions(settings.statement_seconds, Pooler(settings.pooler))
    database = Database(settings.database_url, settings.read_database_url, settings.pool_size, options)
    one_time_secrets = OneTimeSecrets(settings.secret_keys)
    mail_transport = open_transport(settings.smtp_url, settings.mail_folder, settings.mail_from)
    return Services(
        database=database,
        files=files,
        # The newest key signs URLs; they are valid for minutes, so a key rotation invalidates few of them.
        links=SignedUrls(next(iter(settings.secret_keys.values()))),
        tokens=AccessTokens(settings.secret_keys),
        one_time_secrets=one_time_secrets,
        lasting_links=LastingLinks(settings.secret_keys), changes=ChangeFeed(database, settings.listen_url),
        qualifications=QualificationCache(database),
        mail=MailSender(database, mail_transport, one_time_secrets.fill_in),
        push=open_push(database, settings),
        base_url=settings.base_url, mail_folder=settings.mail_folder, quotas=quotas,
    )  # fmt: skip


def build_endpoint(
    settings: Settings,
    services: "Services",
    documents: "PersistedDocuments",
    on_operation: "Callable[[OperationLog], None]",
) -> "GraphQLEndpoint":
    """The GraphQL endpoint. Raises SettingsError for a limit that cannot be used."""
    from starlette.requests import HTTPConnection

    from auth.authorization_header import Authenticator
    from domain.sentences import language_of
    from resolvers.core.context import Client, Context
    from schema.root import make_schema
    from transport.graphql import Limits, make_endpoint

    authenticator = Authenticator(services.database, services.tokens)

    async def make_context(connection: HTTPConnection) -> Context:
        client = Client(
            address=connection.client.host if connection.client else "unknown",
            request_id=connection.scope.get("state", {}).get("request_id"),
            idempotency_key=connection.headers.get("idempotency-key") or None,
            language=language_of(connection.headers.get("accept-language")),
        )
        if (authorization := connection.headers.get("authorization")) is None:
            return Context(services, client=client)
        claims, viewer = await authenticator.authenticate(authorization, client.address)
        return Context(services, viewer, client, claims)

    try:
        limits = Limits.read(settings.limits)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    return make_endpoint(
        make_schema(settings.executor), make_context, limits, documents, open_introspection=settings.is_demo,
        allowed_origins=frozenset(settings.allowed_origins), on_complete=on_operation,
    )  # fmt: skip


def build_server(settings: Settings) -> Server:
    """Composes a server. Raises SettingsError for a setting that only shows here that it cannot be used."""
    from db.history.complete import HistoryKeeper
    from queries.served import ODataFeed, Reports
    from resolvers.authentication.email import confirm_from_page
    from resolvers.authentication.password import reset_from_page
    from resolvers.bulk_export_work import BulkExports
    from resolvers.calendar import read_calendar
    from resolvers.core.link_pages import page_action
    from resolvers.guest_signing import GuestSigningService
    from resolvers.notification_settings import unsubscribe
    from resolvers.signed_url_service import SignedUrlService
    from resolvers.task_email import TaskEmails
    from services.installation_state import InstallationState
    from services.sweeper import Sweeper
    from services.trusted_documents.registry import TrustedDocuments
    from transport.app import make_app
    from transport.files import file_endpoints
    from transport.graphql import PersistedDocuments
    from transport.health import Health
    from transport.observability.metrics import Metrics
    from transport.observability.request_logging import OperationObserver
    from transport.observability.state_metrics import StateMetrics
    from transport.observability.sweep_metrics import SweepMetrics
    from transport.observability.tracing import open_tracing
    from transport.pages import calendar_feed, email_page, guest_page, open_page, password_page, unsubscribe_page
    from transport.pages.graphiql import graphiql
    from transport.pages.static_app import static_app
    from transport.report_routes import report_routes

    services, reports = build_services(settings), Reports()
    services.saved_queries, services.parse_report_variables = reports.names, reports.parse_json
    metrics, tracing = Metrics(settings.loop_milliseconds / 1000), open_tracing(os.environ, services.database)
    health = Health(services.database, services.changes.is_listening, services.files.problem)
    observer, bulk_exports = OperationObserver(metrics), BulkExports(services, settings.pooler)
    trusted = TrustedDocuments(services.database)
    documents = PersistedDocuments.read(ROOT / "queries", settings.operations == "trusted", trusted)
    endpoint = build_endpoint(settings, services, documents, tracing.observing(observer) if tracing else observer)
    sweeper, exports = Sweeper(services.database, services.files), SignedUrlService(services)
    metrics.watch(endpoint)
    state = InstallationState(services.database, services.files)
    metrics.registry.register(SweepMetrics(sweeper, exports.slots, lambda: bulk_exports.running))
    metrics.registry.register(StateMetrics(services.database, services.changes, state, trusted))
    background_tasks = {
        "loop monitor": metrics.loop_monitor.run, "installation state": state.run, "sweeper": sweeper.run,
        "task e-mails": TaskEmails(services).run, "history": HistoryKeeper(services.database).run,
        "bulk exports": bulk_exports.run, "exports": exports.workers.run, "trusted documents": trusted.run,
    }  # fmt: skip

    start_page, graphql_routes = "/kpi", endpoint.routes("/graphql")
    if settings.graphiql:
        start_page = "/graphql"
        graphql_routes = graphiql("/graphql", endpoint, ROOT / "graphiql", documents, settings.is_demo)
    app = make_app(
        [
            *graphql_routes,
            *file_endpoints.routes(services.links, services.files, exports, settings.allowed_origins),
            *password_page.routes(page_action(services, reset_from_page)),
            *email_page.routes(page_action(services, confirm_from_page)),
            *guest_page.routes(GuestSigningService(services)),
            *unsubscribe_page.routes(page_action(services, unsubscribe)),
            *calendar_feed.routes(functools.partial(read_calendar, services)),
            *open_page.routes(settings.open_url or "/kpi/#/open/{id}", start_page),
            *report_routes(endpoint.runner, exports.slots, reports, ODataFeed(), exports, ROOT / "reports"),
            *health.routes(),
            *static_app("/kpi", ROOT / "web"),
        ],
        start_page=start_page,
        posts={"/graphql": endpoint},
        allowed_origins=settings.allowed_origins,
        allowed_headers=settings.allowed_headers,
        lifespan=lambda _: running(settings, services, metrics, tracing, background_tasks),
        metrics=metrics,
        trusted_proxies=settings.trusted_proxies,
    )
    return Server(settings, services, endpoint, health, app)


@asynccontextmanager
async def running(
    settings: Settings, services: "Services", metrics: "Metrics", tracing: "Tracing | None",
    background_tasks: Mapping[str, Callable[[], Coroutine[Any, Any, None]]],
) -> AsyncIterator[None]:  # fmt: skip
    """Runs the background tasks of a server: mail, sweeping, the change feed, metrics, the watch over the replica."""
    import structlog

    from db import background_task
    from db.sqlite_file import short_log
    from db.worker_process import close_workers
    from domain import clock
    from repositories.file import referenced_storage_keys
    from resolvers.authentication.reset_request import create_requested_links
    from services.file_permissions import log_permissions
    from services.mail.mail_folder import sweep_mail_files
    from services.pauses import keep_pauses_short
    from services.storage.start_sweep import sweep_at_start
    from transport.observability.metrics_server import serving_metrics

    log = structlog.get_logger("waymark")
    async with AsyncExitStack() as stack:
        # Before the database is opened: its log gets the permissions of its file.
        await asyncio.to_thread(log_permissions, settings)
        stack.push_async_callback(services.database.close)
        stack.callback(close_workers)
        await services.database.analyze()
        await asyncio.to_thread(sweep_mail_files, settings.mail_folder, clock.now())
        swept = await sweep_at_start(services.files, lambda keys: referenced_storage_keys(services.database, keys))
        metrics_url = await stack.enter_async_context(serving_metrics(metrics, settings.metrics_address))
        if tracing:
            stack.push_async_callback(asyncio.to_thread, tracing.close)
        log.info("started", address=settings.base_url, metrics=metrics_url, swept=swept)
        services.mail.add_source(functools.partial(create_requested_links, services))
        tasks = [background_task.running(work, name) for name, work in background_tasks.items()]
        parts = (services.database.monitoring(), short_log(settings.database_url), services.mail.running())
        for part in (*parts, services.push.running(), services.changes.listening(), *tasks):
            await stack.enter_async_context(part)
        keep_pauses_short()
        yield
        log.info("stopping")


def serve(settings: Settings) -> None:
    """Serves until a signal stops the process; requests that run by then are finished."""
    from transport import uvicorn_server
    from transport.observability import logs

    logs.set_up()
    server = build_server(settings)
    host, port, seconds = settings.host, settings.port, settings.drain_seconds
    uvicorn_server.run(server.app, host=host, port=port, drain_seconds=seconds, on_drain=server.drain)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line, `serve` unless another command is given; returns the exit status."""
    parsed = make_parser().parse_args(arguments)
    # Before anything is written, the demo's key too: what a server or a command creates is for its own user alone.
    os.umask(UMASK)
    try:
        settings = read_settings()
        if parsed.command in (None, "serve"):
            from commands.serve import prepare
            from db.sqlite_file import DatabaseInUse, only_server
            from services.memory import limit_kept_memory

            limit_kept_memory()
            try:
                with only_server(settings.database_url):
                    prepare(settings)
                    serve(settings)
            except DatabaseInUse as error:
                print(error, file=sys.stderr)
                return 1
            return 0
        return parsed.run(settings, parsed)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if "obstore" in sys.modules:
            # The file store's threads still release Python objects after their last result. An interpreter that ends
            # meanwhile is aborted, with the exit status of a failure.
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
