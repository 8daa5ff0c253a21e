"""A small schema, context and server for the tests of the protocol, which hang on no table and no rule of the field."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
import uvicorn
from graphql import GraphQLError
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from auth.viewer import NotSignedIn
from domain import clock
from domain.errors import BadArgument, not_found
from transport.graphql import GraphQLEndpoint, Limits, PersistedDocuments, make_endpoint
from transport.observability.metrics import Metrics
from transport.observability.request_logging import OperationObserver, RequestLogging

SAVED = {"toy_kpis": "query ToyKpis { viewer { role kpis { learnerCount } } }"}


@dataclass
class Signed:
    """A viewer of the toy."""

    user_key: int
    role: str
    expires_at: dt.datetime


@dataclass
class Client:
    """Where a toy's request came from."""

    address: str | None
    request_id: str
    idempotency_key: str | None


@dataclass
class Context:
    """A context of the toy: `closed` says whether the view has closed it."""

    viewer: Signed | None
    client: Client
    toy: "Toy"
    closed: bool = False
    checks: int = 0

    async def still_signed_in(self) -> bool:
        self.checks += 1
        return self.viewer is None or self.viewer.user_key not in self.toy.signed_out

    def close(self) -> None:
        self.closed = True


@dataclass
class Toy:
    """What tests see and change from outside: who is signed out, how long a token lasts, which contexts were made."""

    signed_out: set[int] = field(default_factory=set)
    token_seconds: float = 900
    contexts: list[Context] = field(default_factory=list)
    changes: int = 0
    fault: Exception | None = None

    async def make_context(self, connection: HTTPConnection) -> Context:
        """`Bearer 7` signs in user 7; `Bearer bad` is a token that is none."""
        if self.fault:
            raise self.fault
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        viewer = None
        if token:
            if not token.isdigit() or int(token) in self.signed_out:
                raise NotSignedIn
            viewer = Signed(int(token), "ASSESSOR", clock.now() + dt.timedelta(seconds=self.token_seconds))
        client = Client(
            connection.client.host if connection.client else None,
            connection.scope.get("state", {}).get("request_id", ""),
            connection.headers.get("idempotency-key"),
        )
        context = Context(viewer, client, self)
        self.contexts.append(context)
        return context


@strawberry.type
class Kpis:
    learner_count: int
    generated_at: str


@strawberry.type
class Viewer:
    role: str
    kpis: Kpis


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


@strawberry.type
class Query:
    @strawberry.field
    def viewer(self, info: strawberry.Info) -> Viewer:
        if info.context.viewer is None:
            raise NotSignedIn
        return Viewer(role=info.context.viewer.role, kpis=Kpis(learner_count=3, generated_at="now"))

    @strawberry.field
    def learners(self, first: int = 20, after: str | None = None) -> LearnerConnection:
        found = [Learner(id=strawberry.ID(str(n)), name=f"L{n}") for n in range(first)]
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
    def fibres(self, info: strawberry.Info) -> str:
        return f"{info.context.client.idempotency_key} {info.context.client.request_id}"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self, info: strawberry.Info) -> int:
        info.context.toy.changes += 1
        return info.context.toy.changes

    @strawberry.mutation
    async def change_slowly(self, info: strawberry.Info) -> int:
        await asyncio.sleep(0.3)
        info.context.toy.changes += 1
        return info.context.toy.changes

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


def make_app(toy: Toy, limits: Limits | None = None, **options: Any) -> tuple[Starlette, GraphQLEndpoint, Metrics]:
    """The toy behind the middleware, at /graphql."""
    metrics = Metrics()
    documents = options.pop("documents", PersistedDocuments(SAVED))
    view = make_endpoint(schema, toy.make_context, limits, documents, done=OperationObserver(metrics), **options)
    metrics.watch(view)
    app = Starlette(routes=view.routes())
    app.add_middleware(RequestLogging, metrics=metrics)
    return app, view, metrics


async def until(true: Callable[[], object]) -> None:
    """Waits until something is so; a test that waits for ever is stopped after 20 seconds."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[int]:
    """The app on a real server on a free port of the loopback address."""
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
    toy: Toy | None = None, limits: Limits | None = None, **options: Any
) -> AsyncIterator[tuple[int, GraphQLEndpoint]]:
    """A toy on a real server: its port, and its view to look into."""
    app, view, _ = make_app(toy or Toy(), limits, **options)
    async with served(app) as port:
        yield port, view
