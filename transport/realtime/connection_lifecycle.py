"""What event streams and sockets share: how long a sign-in lasts, how many are open, and the end of all of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Message, Send

from domain import clock
from transport.graphql.error_mapping import outage_response
from transport.graphql.errors import UNAUTHENTICATED
from transport.limits import Limits

SIGNED_OUT = {"errors": [{"message": "Your sign-in has ended.", "extensions": {"code": UNAUTHENTICATED}}]}


class ReaderTooSlow(Exception):
    """The client does not read what it asked for."""


class ConnectionLifecycle:
    """The open event streams of one process, and the flag that ends them and every socket."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ending = asyncio.Event()
        self.open = 0

    @property
    def ending(self) -> bool:
        """Whether the server is stopping."""
        return self._ending.is_set()

    def end(self) -> None:
        """Ends them all."""
        self._ending.set()

    async def until_end(self) -> None:
        """Returns when the server is stopping."""
        await self._ending.wait()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts one stream as open."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    async def until_signed_out(self, context: Any) -> None:
        """Returns when the viewer's token has expired or was revoked; for a caller who is not signed in, never."""
        if context.viewer is None:
            await asyncio.Event().wait()
            return
        while True:
            left = (context.viewer.expires_at - clock.now()).total_seconds()
            if left <= 0:
                return
            await asyncio.sleep(min(left, self._limits.sign_in_check_seconds))
            try:
                if not await context.still_signed_in():
                    return
            except Exception as error:
                # Without a database nobody can tell: ask again, and end at the token's expiry at the latest.
                if outage_response(error) is None:
                    raise

    async def send(self, send: Send, message: Message) -> None:
        """Sends one message. Raises TooSlow where the client does not take it in time."""
        try:
            async with asyncio.timeout(self._limits.slow_reader_seconds):
                await send(message)
        except TimeoutError:
            raise ReaderTooSlow from None
