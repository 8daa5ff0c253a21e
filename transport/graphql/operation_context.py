"""The context of an operation: what the transport needs of it. The application makes it, see `make_endpoint`."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection
from inspect import isawaitable
from typing import Any, Protocol

from starlette.requests import HTTPConnection


class ContextAccessKey(Protocol):
    """The access key of a request: it runs queries only, of the saved ones those that are named, if any are."""

    @property
    def key(self) -> int: ...
    @property
    def operations(self) -> Collection[str]: ...


class ContextViewer(Protocol):
    """The user who is signed in, or whose access key a program sent."""

    @property
    def user_key(self) -> int: ...
    @property
    def role(self) -> Any: ...
    @property
    def expires_at(self) -> dt.datetime: ...
    @property
    def access_key(self) -> ContextAccessKey | None: ...


class ContextClient(Protocol):
    """The client that sent the request."""

    @property
    def address(self) -> str | None: ...


class OperationContext(Protocol):
    """The context of one operation. `viewer` is None for an anonymous caller."""

    @property
    def viewer(self) -> ContextViewer | None: ...
    @property
    def client(self) -> ContextClient: ...

    async def still_signed_in(self) -> bool:
        """Reads the viewer again, and returns whether the session is still valid."""

    def close(self) -> Awaitable[None] | None:
        """Releases what the operation loaded."""


MakeContext = Callable[[HTTPConnection], Awaitable[OperationContext]]


async def close_context(context: OperationContext) -> None:
    """Closes a context, whose `close` may be a coroutine function."""
    closing = context.close()
    if isawaitable(closing):
        await closing


async def is_still_signed_in(context: OperationContext) -> bool:
    """Whether the session of the context is still valid; always true for an anonymous caller."""
    return context.viewer is None or await context.still_signed_in()
