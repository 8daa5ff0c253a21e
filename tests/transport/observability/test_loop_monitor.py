"""What stops the event loop is measured and logged."""

import asyncio
import time

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from db.background_task import running
from transport.observability.loop_monitor import INTERVAL, LOGGED_SECONDS, LoopMonitor


async def test_work_on_the_loop_is_seen() -> None:
    registry = CollectorRegistry()
    monitor = LoopMonitor(registry)
    with capture_logs() as logs:
        async with running(monitor.run, "monitor"), asyncio.timeout(30):
            while not registry.get_sample_value("waymark_loop_delay_seconds_count"):
                await asyncio.sleep(INTERVAL)
            # Longer than what it looks at by what is logged: a loop that is stopped wakes nobody.
            time.sleep(INTERVAL + LOGGED_SECONDS + 0.05)
            while not registry.get_sample_value("waymark_loop_stalled_total"):
                await asyncio.sleep(INTERVAL)
    stalled = [entry for entry in logs if entry["event"] == "event_loop_stalled"]
    assert stalled and stalled[0]["ms"] >= LOGGED_SECONDS * 1000


def test_small_delays_are_counted_and_not_logged() -> None:
    registry = CollectorRegistry()
    monitor = LoopMonitor(registry)
    with capture_logs() as logs:
        for delay in (-0.001, 0.0, 0.03):
            monitor.record(delay)
    assert registry.get_sample_value("waymark_loop_delay_seconds_bucket", {"le": "0.02"}) == 2
    assert registry.get_sample_value("waymark_loop_stalled_total") == 0
    assert logs == []
