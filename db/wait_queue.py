"""The callers that wait for a connection of a pool: first come, first served."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")


class WaitQueue(Generic[T]):
    """Gives each connection that becomes free to the caller that has waited longest.

    A pool keeps a free connection only if nobody waits for it, so that no newcomer overtakes. `take_back` gets one that
    was given to a caller that is cancelled before it has it.
    """

    def __init__(self, take_back: Callable[[T], None]) -> None:
        self._take_back = take_back
        # In the order in which they came, with the time of the event loop at which each gives up.
        self._waiting: deque[tuple[asyncio.Future[T], float]] = deque()
        # One for all, whose waits are equally long: to start and stop one for each costs as much as the rest of a wait.
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, seconds: float, message: str) -> T:
        """Returns a connection. Raises SQLAlchemy's TimeoutError with the message after the seconds."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        place = (waiter, loop.time() + seconds)
        self._waiting.append(place)
        if self._timer is None:
            self._timer = loop.call_at(place[1], self._expire, loop)
        try:
            return await waiter
        except _GaveUp:
            raise PoolTimeout(message) from None
        except asyncio.CancelledError:
            if waiter.cancelled():
                # `give` may have passed it over already.
                with suppress(ValueError):
                    self._waiting.remove(place)
            elif waiter.exception() is None:
                self._take_back(waiter.result())
            raise

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the wait of those whose seconds are over."""
        while self._waiting and (self._waiting[0][0].done() or self._waiting[0][1] <= loop.time()):
            waiter, _ = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(_GaveUp())
        self._timer = loop.call_at(self._waiting[0][1], self._expire, loop) if self._waiting else None

    def give(self, connection: T) -> bool:
        """Gives a connection to the caller that has waited longest; returns False if nobody waits."""
        while self._waiting:
            waiter, _ = self._waiting.popleft()
            # One that was cancelled has not run since.
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False


class _GaveUp(Exception):
    """Nothing was given in time."""
