"""A small schema, context and server for tests of the transport, without a database."""

import asyncio
import datetime as dt
import enum
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import strawberry
import uvicorn
from graphql import GraphQLError
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from auth.viewer import NotSignedIn
from domain import clock
from domain.errors import BadArgument, not_found
from domain.field_metadata import AFTER_SIGN_IN, ANONYMOUS
from tests.support.minimal_context import AppState, Viewer
from transport.graphql import GraphQLEndpoint, Limits, PersistedDocuments, make_endpoint
from transport.observability.metrics import Metrics
from transport.observability.request_logging import OperationObserver, RequestLogging

SAVED = {
    "sample_kpis": "query SampleKpis { viewer { role kpis { learnerCount } } }",
    "sample_log_in": "mutation LogIn($name: String!) { logIn(name: $name) { token viewer { role } errors } }",
}


@strawberry.type
class Kpis:
    learner_count: int
    generated_at: str


@strawberry.type(name="Viewer")
class ViewerType:
    key: int
    role: str
    kpis: Kpis

    @strawberry.field
    def fails(self) -> int | None:
        raise ValueError("the secret of Ada Lovelace")

    @strawberry.field
    def learners(self, first: int | None = None) -> "LearnerConnection":
        return Query().learners(first=first)


@strawberry.type
class Learner:
    id: strawberry.ID
    name: str

    @strawberry.field
    def aims(self) -> list["Aim"]:
        return [Aim(id=strawberry.ID("a")) for _ in range(2)]

    @strawberry.field
    def friend(self) -> "Learner":
        return self


@strawberry.type
class Aim:
    id: strawberry.ID


@strawberry.type
class LearnerEdge:
    cursor: str
    node: Learner


@strawberry.type
class LearnerConnection:
    edges: list[LearnerEdge]
    nodes: list[Learner]
    total_count: int


def _viewer(viewer: Viewer) -> ViewerType:
    return ViewerType(key=viewer.user_key, role=viewer.role, kpis=Kpis(learner_count=3, generated_at="now"))


@strawberry.type
class Query:
    @strawberry.field
    def viewer(self, info: strawberry.Info) -> ViewerType:
        if info.context.viewer is None:
            raise NotSignedIn
        return _viewer(info.context.viewer)

    @strawberry.field
    def learners(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> LearnerConnection:
        size = first or last or 20
        found = [Learner(id=strawberry.ID(str(n)), name=f"L{n}") for n in range(size)]
        return LearnerConnection(
            edges=[LearnerEdge(cursor=each.id, node=each) for each in found], nodes=found, total_count=900
        )

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Learner]:
        return [Learner(id=each, name="L") for each in ids]

    @strawberry.field
    def learner(self, id: strawberry.ID) -> Learner | None:
        return Learner(id=id, name="L") if id == "1" else None

    @strawberry.field
    async def fails(self, how: str = "bug") -> int | None:
        if how == "coded":
            raise GraphQLError("Choose another.", extensions={"code": "BAD_USER_INPUT"})
        if how == "public":
            raise BadArgument("how", "Choose another.")
        if how == "refused":
            raise not_found("how")
        if how == "database":
            raise OperationalError("select secret", {}, ConnectionRefusedError("refused"))
        if how == "network":
            raise ConnectionRefusedError(111, "refused")
        if how == "disk":
            raise OSError(28, "No space left on device")
        if how == "slow":
            await asyncio.sleep(60)
        raise ValueError("the secret of Ada Lovelace")

    @strawberry.field
    def number(self, value: int) -> int:
        return value

    @strawberry.field
    def too_big(self) -> int:
        return 2**40

    @strawberry.field
    def client_ids(self, info: strawberry.Info) -> str:
        return f"{info.context.client.idempotency_key} {info.context.client.request_id}"


@strawberry.enum
class Kind(enum.Enum):
    ONE = 1


@strawberry.input
class SignIn:
    name: str
    password: str
    day: dt.date | None = None
    kind: Kind | None = None


@strawberry.type
class Session:
    token: str | None
    errors: list[str]
    viewer: ViewerType | None = strawberry.field(metadata={AFTER_SIGN_IN: "viewer"})


@strawberry.type
class Mutation:
    @strawberry.mutation(metadata={ANONYMOUS: True})
    def sign_in(self, input: SignIn) -> bool:
        return True

    @strawberry.mutation(metadata={ANONYMOUS: True})
    def log_in(self, info: strawberry.Info, name: str, role: str | None = None) -> Session:
        """Signs in everybody whose name is a number; with the roles "broken" and "outage" fails."""
        if role == "broken":
            raise ValueError("the secret of Ada Lovelace")
        if role == "outage":
            raise OperationalError("insert secret", {}, ConnectionResetError("reset"))
        if not name.isdigit():
            return Session(token=None, errors=["wrong"], viewer=None)
        expires_at = clock.now() + dt.timedelta(seconds=info.context.state.token_seconds)
        info.context.viewer = Viewer(int(name), role or "ASSESSOR", expires_at)
        return Session(token=f"token of {name}", errors=[], viewer=_viewer(info.context.viewer))

    @strawberry.mutation
    def change(self, info: strawberry.Info) -> int:
        info.context.state.changes += 1
        return info.context.state.changes

    @strawberry.mutation
    async def change_slowly(self, info: strawberry.Info) -> int:
        await asyncio.sleep(0.3)
        info.context.state.changes += 1
        return info.context.state.changes

    @strawberry.mutation
    def break_off(self) -> int | None:
        raise OperationalError("insert secret", {}, ConnectionResetError("reset"))


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def kpis_changed(self, n: int = 3, pause: float = 0.05) -> AsyncIterator[Kpis]:
        for count in range(n):
            yield Kpis(learner_count=count, generated_at=clock.now().isoformat())
            await asyncio.sleep(pause)

    @strawberry.subscription
    async def wants_viewer(self, info: strawberry.Info) -> AsyncIterator[int]:
        if info.context.viewer is None:
            raise NotSignedIn
        yield 1

    @strawberry.subscription
    async def flood(self) -> AsyncIterator[str]:
        while True:
            yield "x" * 50_000

    @strawberry.subscription
    async def broken(self) -> AsyncIterator[int]:
        yield 1
        raise ValueError("the secret of Ada Lovelace")


schema = strawberry.Schema(Query, Mutation, Subscription)


def make_app(
    state: AppState, limits: Limits | None = None, **options: Any
) -> tuple[Starlette, GraphQLEndpoint, Metrics]:
    """Makes an app with the endpoint at /graphql behind the middleware; `options` are those of `make_endpoint`."""
    metrics = Metrics()
    documents = options.pop("documents", PersistedDocuments(SAVED))
    endpoint = make_endpoint(
        schema, state.make_context, limits, documents, on_complete=OperationObserver(metrics), **options
    )
    metrics.watch(endpoint)
    app = Starlette(routes=endpoint.routes())
    app.add_middleware(RequestLogging, metrics=metrics)
    return app, endpoint, metrics


async def until(condition: Callable[[], object]) -> None:
    """Waits until a condition is true, a minute at most: a busy machine is slow, and no test is about this time."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[int]:
    """Runs the app on a real server, and gives its port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=2))
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def serving(
    state: AppState | None = None, limits: Limits | None = None, **options: Any
) -> AsyncIterator[tuple[int, GraphQLEndpoint]]:
    """Runs the minimal schema on a real server, and gives its port and its endpoint."""
    app, endpoint, _ = make_app(state or AppState(), limits, **options)
    async with served(app) as port:
        yield port, endpoint
