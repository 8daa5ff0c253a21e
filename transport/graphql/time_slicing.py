"""Runs long work on the event loop in short steps, one task at a time, within a share of the loop's time."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")
# Work in short steps: the event loop serves other tasks between two of them.
Steps = Generator[None, None, T]


class TimeSlicer:
    """Runs tasks one after the other, each in steps between which the event loop serves other requests.

    `share` is the part of the loop's time that all tasks take at most: after a task of 5 ms, with a share of 0.25, the
    next one waits for 15 ms. So no task blocks the loop for longer than one step, however many arrive at once.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._pause_factor = 1 / share - 1
        self._clock = clock
        self._lock = asyncio.Lock()
        self._free_at = clock()

    async def run(self, steps: Steps[T]) -> T:
        """Runs the steps after those of earlier tasks. Raises what they raise."""
        async with self._lock:
            if (pause := self._free_at - self._clock()) > 0:
                await asyncio.sleep(pause)
            worked = 0.0
            try:
                while True:
                    began = self._clock()
                    try:
                        next(steps)
                    except StopIteration as finished:
                        return finished.value
                    finally:
                        worked += self._clock() - began
                    await asyncio.sleep(0)
            finally:
                self._free_at = self._clock() + worked * self._pause_factor


def run_at_once(steps: Steps[T]) -> T:
    """Runs all the steps without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value
