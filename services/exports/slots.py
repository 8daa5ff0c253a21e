"""Limits the exports that are made at once: of one user, and in one process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from services.quotas import Quotas

# How long an export waits for others of the process, and after how long a client may try again.
WAIT_SECONDS = 10.0
RETRY_SECONDS = 10
# A refusal is delayed so long, so that a client that repeats at once is slowed down.
REFUSAL_SECONDS = 1.0


class TooManyExports(Exception):
    """No further export can be made now. `own`: because of the user's other exports, else because of everybody's."""

    def __init__(self, message: str, own: bool) -> None:
        super().__init__(message)
        self.own = own


class ExportSlots:
    """The exports of one process. `running` counts those that are being made, `held` also those being downloaded."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._slots = asyncio.Semaphore(quotas.exports)
        self._of_viewer: Counter[int] = Counter()
        self.running = 0

    @property
    def held(self) -> int:
        """How many exports are being made or downloaded."""
        return self._of_viewer.total()

    async def hold(self, viewer_key: int) -> Callable[[], None]:
        """Takes one of the user's slots until the returned function is called, once or more often.

        Raises TooManyExports. A user who downloads slowly takes slots of their own only.
        """
        most = self._quotas.exports_viewer
        if self._of_viewer[viewer_key] >= most:
            await asyncio.sleep(REFUSAL_SECONDS)
            has = "an export" if most == 1 else f"{most} exports"
            message = f"You have {has} in progress already. Wait until it is complete, then try again."
            raise TooManyExports(message if most == 1 else message.replace("it is", "one of them is"), own=True)
        self._of_viewer[viewer_key] += 1
        is_held = True

        def release() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._of_viewer[viewer_key] -= 1
                if not self._of_viewer[viewer_key]:
                    del self._of_viewer[viewer_key]

        return release

    @asynccontextmanager
    async def making(self) -> AsyncIterator[None]:
        """Takes one of the process's slots for the block; waits up to 10 s for one, then raises TooManyExports."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            message = f"Too many exports are being made at the moment. Try again in {RETRY_SECONDS} seconds."
            raise TooManyExports(message, own=False) from None
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._slots.release()
