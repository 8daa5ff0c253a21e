"""A background task ends with its block, and starts again when it fails."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from db import background_task
from db.background_task import running


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_task, "_RESTART_SECONDS", 0.01)


async def test_it_ends_with_the_block_even_when_the_work_loses_a_cancellation() -> None:
    lost, ended = 0, False

    async def work() -> None:
        nonlocal lost, ended
        try:
            while lost < 3:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(60)
                lost += 1
            await asyncio.sleep(60)
        finally:
            ended = True

    async with asyncio.timeout(10), running(work, "work"):
        await asyncio.sleep(0)
    assert (lost, ended) == (3, True)


async def test_work_that_fails_is_logged_and_started_again() -> None:
    starts = 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts == 1:
            raise LookupError("a row's words")
        again.set()
        await asyncio.sleep(60)

    with capture_logs() as logs:
        async with asyncio.timeout(10), running(work, "work"):
            await again.wait()
    assert [(entry["event"], entry["cause"]) for entry in logs] == [("background_task_failed", "LookupError")]
    assert "words" not in str(logs)
