"""What event streams and WebSockets share: when a session ends, how many are open, slow clients, and shutdown."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Scope, Send

from domain import clock
from domain.network import network_of
from transport.graphql.errors import UNAUTHENTICATED, outage_response
from transport.graphql.operation_context import OperationContext
from transport.limits import Limits
from transport.realtime.connection_limits import OpenConnections

SESSION_ENDED = {"errors": [{"message": "Your session has ended.", "extensions": {"code": UNAUTHENTICATED}}]}


class ClientTooSlow(Exception):
    """The client does not read what is sent to it."""


class ConnectionLifecycle:
    """The open event streams and WebSockets of one process, and the signal that ends them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.connections = OpenConnections(limits)
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
    def open_stream(self, context: OperationContext) -> Iterator[asyncio.Future[None]]:
        """Counts an event stream as open. Gives a future that is done when it has to end, to make room for others.

        Raises TooManyConnections.
        """
        evicted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        network = network_of(context.client.address)
        if context.viewer is None:
            connection = self.connections.open_anonymous(
                network, lambda: None if evicted.done() else evicted.set_result(None)
            )
        else:
            connection = self.connections.open_signed_in(network, context.viewer.user_key)
        self.open_streams += 1
        try:
            yield evicted
        finally:
            self.open_streams -= 1
            self.connections.close(connection)

    @staticmethod
    def network(scope: Scope) -> str:
        """Returns the network of a connection's client; behind a trusted proxy it is not the proxy's."""
        client = scope.get("client")
        return network_of(client[0] if client else None)

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
