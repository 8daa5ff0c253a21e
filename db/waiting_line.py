"""Those who wait for something of which a pool has only so many, in the order in which they came."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")


class WaitingLine(Generic[T]):
    """Gives each thing that becomes free to who has waited longest.

    A thing never passes who does not wait for it: the pool adds it to the free ones only if nobody does. `take_back`
    gets what was given to somebody who is cancelled before they have it.
    """

    def __init__(self, take_back: Callable[[T], None]) -> None:
        self._take_back = take_back
        self._waiting: deque[asyncio.Future[T]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, seconds: float, message: str) -> T:
        """Returns what is given. Raises SQLAlchemy's TimeoutError with the message if nothing is within the seconds."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._waiting.append(waiter)
        timer = loop.call_later(seconds, self._give_up, waiter, message)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._leave(waiter)
            elif waiter.exception() is None:
                self._take_back(waiter.result())
            raise
        finally:
            timer.cancel()

    def _leave(self, waiter: asyncio.Future[T]) -> None:
        # `give` may have passed it over already.
        with suppress(ValueError):
            self._waiting.remove(waiter)

    def _give_up(self, waiter: asyncio.Future[T], message: str) -> None:
        if not waiter.done():
            self._leave(waiter)
            waiter.set_exception(PoolTimeout(message))

    def give(self, thing: T) -> bool:
        """Gives a thing to who waits longest; returns False if nobody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            # One that was cancelled has not run since.
            if not waiter.done():
                waiter.set_result(thing)
                return True
        return False
