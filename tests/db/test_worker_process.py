"""Worker processes: results, faults, death, time, the queue, and what they know of the server."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from db import worker_process
from db.priority import BACKGROUND
from db.worker_process import WorkerCpuExceeded, WorkerEnded, WorkerFailed, WorkerPool, WorkerTimedOut
from tests.support.architecture import ROOT
from tests.support.processes import has_ended


@pytest.fixture
def make_pool() -> Iterator[Callable[..., WorkerPool]]:
    pools: list[WorkerPool] = []

    def make(function: str, **options: float) -> WorkerPool:
        pools.append(WorkerPool(function, **options))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


async def test_a_call_runs_in_another_process_that_stays(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("os:getpid")
    first = await pool.call()
    assert first != os.getpid()
    assert await pool.call() == first


async def test_large_arguments_and_results(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:sorted")
    numbers = list(range(300_000, 0, -1))
    assert await pool.call(numbers) == numbers[::-1]


async def test_an_exception_is_named_and_the_process_goes_on(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:int")
    with pytest.raises(RuntimeError, match="^ValueError in builtins:int$"):
        await pool.call("hunter2")
    assert await pool.call("7") == 7


async def test_a_killed_process_is_replaced(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("os:getpid")
    first = await pool.call()
    os.kill(first, signal.SIGKILL)
    second = await pool.call()
    assert second not in (first, os.getpid())
    assert not psutil.pid_exists(first)
    assert [process.pid for process in pool._processes] == [second]


async def test_work_that_kills_its_process_fails_and_the_next_does_not(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval")
    with pytest.raises(WorkerFailed):
        await pool.call("__import__('os')._exit(3)")
    assert await pool.call("1 + 1") == 2


async def test_work_that_takes_too_long_is_ended(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", timeout=2.0)
    busy = await pool.call("__import__('os').getpid()")
    with pytest.raises(WorkerFailed):
        await pool.call("__import__('time').sleep(600)")
    assert not psutil.pid_exists(busy)
    assert await pool.call("1 + 1") == 2


async def test_work_has_its_cpu_time_each_time(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", timeout=600.0, cpu_seconds=1)
    work = "(lambda t: sum(0 for _ in iter(lambda: t.process_time() > {}, True)))(__import__('time'))"
    pid = await pool.call("__import__('os').getpid()")
    used = await pool.call("__import__('time').process_time()")
    for number in (1, 2):
        await pool.call(work.format(used + number * 0.7))
    assert await pool.call("__import__('os').getpid()") == pid
    with pytest.raises(WorkerCpuExceeded):
        await pool.call(work.format(600))
    assert not psutil.pid_exists(pid)
    assert await pool.call("1 + 1") == 2


async def test_an_answer_has_a_bounded_length(
    make_pool: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make_pool("builtins:bytes")
    monkeypatch.setattr(worker_process, "MAX_ANSWER_BYTES", 1_001)
    assert await pool.call(1_000) == bytes(1_000)
    with pytest.raises(WorkerEnded):
        await pool.call(1_001)


async def test_a_worker_that_does_not_read_is_ended(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:len", timeout=2.0)
    assert await pool.call("four") == 4
    (worker,) = pool._processes
    worker.send_signal(signal.SIGSTOP)
    # More than a pipe holds.
    with pytest.raises(WorkerTimedOut):
        await pool.call("x" * 2_000_000)
    assert await pool.call("four") == 4


async def test_a_worker_whose_answer_is_cut_off_is_ended(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", timeout=2.0)
    with pytest.raises(WorkerTimedOut):
        await pool.call("__import__('os').write(1, bytes([0, 1, 0, 0]))")
    assert await pool.call("1 + 1") == 2


async def test_a_call_fails_where_no_process_or_thread_can_start(
    make_pool: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = make_pool("os:getpid")
    for name, value in (("threading.Thread.start", refuse), ("sys.executable", "/no/python")):
        with monkeypatch.context() as patched:
            patched.setattr(name, value)
            with pytest.raises(WorkerFailed) as raised:
                await pool.call()
        # Of the work itself it says nothing.
        assert not isinstance(raised.value, WorkerTimedOut | WorkerEnded)
    assert await pool.call() != os.getpid()


async def test_memory_is_bounded_beyond_what_the_worker_has(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", memory_bytes=256 * 2**20)
    pid = await pool.call("__import__('os').getpid()")
    with pytest.raises(RuntimeError, match="^MemoryError in builtins:eval$"):
        await pool.call("len(bytearray(300 * 2**20))")
    assert await pool.call("len(bytearray(200 * 2**20))") == 200 * 2**20
    assert await pool.call("__import__('os').getpid()") == pid


async def test_the_queue_is_bounded_and_the_loop_is_free(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", max_waiting=2)
    running = [asyncio.create_task(pool.call("__import__('time').sleep(0.5)")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(WorkerFailed):
        await pool.call("1")
    # The loop still turns while the three calls are worked on.
    assert not any(task.done() for task in running)
    assert await asyncio.gather(*running) == [None] * 3
    assert await pool.call("1") == 1


async def test_several_processes_work_at_once(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", size=2)
    work = "(__import__('time').sleep(0.5), __import__('os').getpid())[1]"
    assert len(set(await asyncio.gather(pool.call(work), pool.call(work)))) == 2


async def test_a_worker_knows_no_settings_and_leaves_signals_to_the_server(
    make_pool: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_SECRET_KEYS", "secret")
    pool = make_pool("builtins:eval")
    assert await pool.call("__import__('os').getenv('WAYMARK_SECRET_KEYS')") is None
    pid = await pool.call("__import__('os').getpid()")
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    assert await pool.call("__import__('os').getpid()") == pid
    assert psutil.Process(pid).nice() > psutil.Process().nice()
    background = await make_pool("os:getpid", niceness=BACKGROUND).call()
    assert psutil.Process(background).nice() > psutil.Process(pid).nice()


async def test_a_worker_has_a_session_of_its_own_and_a_lower_priority(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool("builtins:eval", niceness=BACKGROUND)
    pid = await pool.call("__import__('os').getpid()")
    assert os.getsid(pid) == pid != os.getsid(0)
    assert psutil.Process(pid).nice() == psutil.Process().nice() + BACKGROUND
    # "/autogroup-14 nice 10", where the system has such groups.
    group = Path("/proc/self/autogroup")
    if group.exists() and (own := group.read_text().split()):
        theirs = Path(f"/proc/{pid}/autogroup").read_text().split()
        assert theirs[0] != own[0] and int(theirs[2]) == BACKGROUND


async def test_closing_ends_the_processes_and_a_later_call_starts_another(
    make_pool: Callable[..., WorkerPool],
) -> None:
    pool = make_pool("os:getpid")
    pid = await pool.call()
    pool.close()
    assert not psutil.pid_exists(pid)
    assert await pool.call() != pid


def test_a_worker_ends_with_a_server_that_was_killed() -> None:
    program = (
        "import asyncio, db.worker_process as w\n"
        "async def main():\n"
        "    print(await w.WorkerPool('os:getpid').call(), flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())"
    )
    server = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert server.stdout is not None
    worker = int(server.stdout.readline())
    assert psutil.pid_exists(worker)
    server.kill()
    server.wait()
    for _ in range(200):
        if has_ended(worker):
            break
        time.sleep(0.1)
    else:
        pytest.fail("the worker process outlived its server")
