"""The context and the state of the minimal schema."""

import datetime as dt
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from auth.viewer import NotSignedIn
from domain import clock


@dataclass
class Viewer:
    """The viewer of a context."""

    user_key: int
    role: str
    expires_at: dt.datetime
    # No test of the minimal schema sends an access key.
    access_key: None = None


@dataclass
class Client:
    """The client of a context."""

    address: str | None
    request_id: str
    idempotency_key: str | None


@dataclass
class Context:
    """A context; `closed` says whether the endpoint has closed it, `checks` how often it read the viewer again."""

    viewer: Viewer | None
    client: Client
    state: "AppState"
    closed: bool = False
    checks: int = 0

    async def still_signed_in(self) -> bool:
        self.checks += 1
        return self.viewer is None or self.viewer.user_key not in self.state.signed_out

    def close(self) -> None:
        self.closed = True


@dataclass
class AppState:
    """What tests set and inspect: users who signed out, the life of a token, the contexts, a fault while signing in."""

    signed_out: set[int] = field(default_factory=set)
    token_seconds: float = 900
    contexts: list[Context] = field(default_factory=list)
    changes: int = 0
    fault: Exception | None = None

    async def make_context(self, connection: HTTPConnection) -> Context:
        """Makes a context: `Bearer 7` is the token of user 7, `Bearer bad` is invalid."""
        if self.fault:
            raise self.fault
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        viewer = None
        if token:
            if not token.isdigit() or int(token) in self.signed_out:
                raise NotSignedIn
            viewer = Viewer(int(token), "ASSESSOR", clock.now() + dt.timedelta(seconds=self.token_seconds))
        client = Client(
            connection.client.host if connection.client else None,
            connection.scope.get("state", {}).get("request_id", ""),
            connection.headers.get("idempotency-key"),
        )
        context = Context(viewer, client, self)
        self.contexts.append(context)
        return context
