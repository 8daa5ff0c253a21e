"""The processes of exports are started and waited for in a thread, while the event loop answers others."""

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from services.exports.process import StartedProcess

ECHO = [sys.executable, "-c", "print(input(), flush=True); input()"]


async def gone(pid: int) -> None:
    """Waits until a process has ended and is no zombie."""
    async with asyncio.timeout(10):
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.01)


@pytest.fixture
def slowly_started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started, for 0.3 s each."""
    pids, begin = [], subprocess.Popen.__init__

    def begin_slowly(self: Any, *arguments: Any, **options: Any) -> None:
        time.sleep(0.3)
        begin(self, *arguments, **options)
        pids.append(self.pid)

    monkeypatch.setattr(subprocess.Popen, "__init__", begin_slowly)
    return pids


async def test_the_loop_turns_while_a_process_starts(slowly_started: list[int]) -> None:
    starting = asyncio.ensure_future(StartedProcess.of(ECHO, os.environ))
    turns = 0
    while not starting.done():
        turns += 1
        await asyncio.sleep(0.01)
    process = await starting
    assert turns > 5 and slowly_started == [process.pid]
    process.stdin.write(b"hello\n")
    assert (await process.stdout.readline(), process.returncode) == (b"hello\n", None)
    process.kill()
    assert await process.wait() == process.returncode == -9
    await gone(process.pid)


async def test_a_start_that_nobody_waits_for_leaves_no_process(slowly_started: list[int]) -> None:
    starting = asyncio.ensure_future(StartedProcess.of(ECHO, os.environ))
    await asyncio.sleep(0.05)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with asyncio.timeout(10):
        while not slowly_started:
            await asyncio.sleep(0.01)
    await gone(slowly_started[0])


async def test_a_process_that_ends_by_itself_is_no_zombie() -> None:
    process = await StartedProcess.of([sys.executable, "-c", "pass"], os.environ)
    await gone(process.pid)
    async with asyncio.timeout(10):
        # The thread that has waited for it notes its status a moment after the process is gone.
        while process.returncode is None:
            await asyncio.sleep(0.01)
    assert process.returncode == 0 and await process.stdout.read() == b""
    # It can still be ended, as one that runs.
    process.stdin.write(b"late\n")
    process.kill()
    assert await process.wait() == 0


async def test_a_command_that_is_not_there_raises() -> None:
    with pytest.raises(FileNotFoundError):
        await StartedProcess.of(["/none/none"], os.environ)


async def test_it_leaves_no_open_file() -> None:
    before = psutil.Process().num_fds()
    for _ in range(3):
        process = await StartedProcess.of(ECHO, os.environ)
        process.kill()
        await process.wait()
    await asyncio.sleep(0.1)
    assert psutil.Process().num_fds() == before
