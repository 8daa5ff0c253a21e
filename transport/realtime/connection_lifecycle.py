"""What event streams and WebSockets share: when a session ends, how many are open, slow clients, and shutdown."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Send

from domain import clock
from transport.graphql.errors import UNAUTHENTICATED, outage_response
from transport.graphql.operation_context import OperationContext
from transport.limits import Limits

SESSION_ENDED = {"errors": [{"message": "Your session has ended.", "extensions": {"code": UNAUTHENTICATED}}]}


class ClientTooSlow(Exception):
    """The client does not read what is sent to it."""


class ConnectionLifecycle:
    """The open event streams of one process, and the signal that ends them and every WebSocket."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._shutdown = asyncio.Event()
        self.open_streams = 0

    @property
    def is_shutting_down(self) -> bool:
        """Whether the server is stopping."""
        return self._shutdown.is_set()

    def shut_down(self) -> None:
        """Ends all event streams and WebSockets."""
        self._shutdown.set()

    async def until_shutdown(self) -> None:
        """Returns when the server is stopping."""
        await self._shutdown.wait()

    @contextmanager
    def open_stream(self) -> Iterator[None]:
        """Counts an event stream as open."""
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1

    async def until_session_ends(self, context: OperationContext) -> None:
        """Returns when the viewer's token has expired or the session was ended; never for an anonymous caller."""
        if context.viewer is None:
            await asyncio.Event().wait()
            return
        while context.viewer is not None:
            left = (context.viewer.expires_at - clock.now()).total_seconds()
            if left <= 0:
                return
            await asyncio.sleep(min(left, self._limits.sign_in_check_seconds))
            try:
                if not await context.still_signed_in():
                    return
            except Exception as error:
                # During an outage it tries again; the expiry of the token ends the session at the latest.
                if outage_response(error) is None:
                    raise

    async def send(self, send: Send, message: Message) -> None:
        """Sends a message. Raises ClientTooSlow if the client does not read it within `slow_reader_seconds`."""
        try:
            async with asyncio.timeout(self._limits.slow_reader_seconds):
                await send(message)
        except TimeoutError:
            raise ClientTooSlow from None
