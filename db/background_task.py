"""Runs a coroutine in the background for the length of a block."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.get_logger("waymark")

_RESTART_SECONDS = 1.0


@asynccontextmanager
async def running(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> AsyncIterator[None]:
    """Runs `work()` in a task of that name; at the end of the block the task is cancelled and awaited.

    If the work fails, that is logged and it is started again: a background task never ends unnoticed.
    """
    task = asyncio.create_task(_supervise(work, name), name=name)
    try:
        yield
    finally:
        # Again until it has ended: a library may lose a cancellation that comes as its own work completes.
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_RESTART_SECONDS)


async def _supervise(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    while True:
        try:
            await work()
        except Exception as error:
            # The class and not the message, which may quote a row.
            log.error("background_task_failed", task=name, cause=type(error).__name__)
            await asyncio.sleep(_RESTART_SECONDS)
        else:
            return
