"""What stops the event loop is measured and logged, with the request and the code that did it."""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from db.background_task import running
from transport.graphql.operation_log import OperationLog
from transport.observability.loop_monitor import INTERVAL, LoopMonitor
from transport.observability.loop_watcher import LoopWatcher, Work, frames_of, work_of

# A loop of its own: a server of another test that runs on in the session's loop would log the same work.
own_loop = pytest.mark.asyncio(loop_scope="function")

LOGGED_SECONDS = 0.2


def _occupy(log: OperationLog | None = None, request_id: str | None = None) -> None:
    """Keeps the thread until the watcher has had time to see it, however slow the machine is."""
    until = time.monotonic() + 3 * LOGGED_SECONDS
    while time.monotonic() < until:
        time.sleep(0.01)


async def _stalled_by(work: Callable[[], Any]) -> list[dict[str, Any]]:
    registry = CollectorRegistry()
    monitor = LoopMonitor(registry, LOGGED_SECONDS)
    with capture_logs() as logs:
        async with running(monitor.run, "monitor"), asyncio.timeout(60):
            while not registry.get_sample_value("waymark_loop_delay_seconds_count"):
                await asyncio.sleep(INTERVAL)
            before = registry.get_sample_value("waymark_loop_stalled_total") or 0
            work()
            while registry.get_sample_value("waymark_loop_stalled_total") == before:
                await asyncio.sleep(INTERVAL)
    # A busy machine may hold up the loop before.
    return [entry for entry in logs if entry["event"] == "event_loop_stalled" and entry["ms"] >= LOGGED_SECONDS * 1000]


@own_loop
async def test_work_on_the_loop_is_logged_with_its_operation_and_its_place() -> None:
    operation = OperationLog(request_id="request-1", name="Unsaved", saved_name="progress_map")
    logs = await _stalled_by(lambda: _occupy(operation))
    [found] = [entry for entry in logs if entry["where"] and "_occupy" in entry["where"]]
    assert (found["request_id"], found["operation"]) == ("request-1", "progress_map")
    assert found["where"].startswith("tests/transport/observability/test_loop_monitor.py:")


@own_loop
async def test_work_outside_an_operation_is_logged_with_its_request() -> None:
    logs = await _stalled_by(lambda: _occupy(request_id="request-2"))
    assert ("request-2", None) in [(entry["request_id"], entry["operation"]) for entry in logs]


def test_a_loop_that_only_waits_is_busy_with_nothing() -> None:
    """Whatever of Waymark's code runs the loop, such as this function."""

    def seen(watcher: LoopWatcher) -> Work:
        deadline = time.monotonic() + 60
        while True:
            # The loop's thread may still be on its way to wait for this one.
            work = work_of(frames_of(watcher._watched), watcher._outer)
            if work == Work() or time.monotonic() > deadline:
                return work
            time.sleep(0.01)

    async def waiting() -> Work:
        return await asyncio.to_thread(seen, LoopWatcher(60))

    assert asyncio.run(waiting()) == Work()


def test_an_operation_that_is_being_made_says_nothing() -> None:
    """The thread looks between two assignments of its `__init__`."""
    operation = OperationLog.__new__(OperationLog)
    operation.request_id, operation.name = "request-3", "Unsaved"
    assert work_of([sys._getframe()], []).request_id is None


def test_the_frames_of_a_thread_are_read_from_the_inside_while_it_runs() -> None:
    begun, ended = threading.Event(), threading.Event()

    def innermost(depth: int) -> None:
        if depth:
            return innermost(depth - 1)
        begun.set()
        while not ended.wait(0.0001):
            sum(range(1000))
        return None

    thread = threading.Thread(target=innermost, args=(20,))
    thread.start()
    assert begun.wait(60)
    try:
        for _ in range(500):
            names = [frame.f_code.co_name for frame in frames_of(thread.ident or 0)]
            assert names[-1] == "_bootstrap" and names.count("innermost") == 21
    finally:
        ended.set()
        thread.join()
    assert frames_of(thread.ident or 0) == [] and gc.isenabled()


@own_loop
async def test_a_garbage_collection_is_measured() -> None:
    registry = CollectorRegistry()
    monitor = LoopMonitor(registry)
    async with running(monitor.run, "monitor"), asyncio.timeout(60):
        while not registry.get_sample_value("waymark_loop_delay_seconds_count"):
            await asyncio.sleep(INTERVAL)
        gc.collect()
    count = registry.get_sample_value("waymark_gc_seconds_count")
    gc.collect()
    assert count and registry.get_sample_value("waymark_gc_seconds_count") == count


def test_small_delays_are_counted_and_not_logged() -> None:
    registry = CollectorRegistry()
    monitor = LoopMonitor(registry)
    with capture_logs() as logs:
        for delay in (-0.001, 0.0, 0.03):
            monitor.record(delay)
    assert registry.get_sample_value("waymark_loop_delay_seconds_bucket", {"le": "0.02"}) == 2
    assert registry.get_sample_value("waymark_loop_stalled_total") == 0
    assert logs == []
