"""Watches the event loop: how long it was busy with one piece of work and served nothing else."""

import asyncio

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

log = structlog.get_logger(__name__)

# How often the loop is looked at, and the delay from which it is logged, in seconds.
INTERVAL = 0.05
LOGGED_SECONDS = 0.5
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class LoopMonitor:
    """Sleeps again and again, and records by how much later than planned the loop woke it up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._delays = Histogram(
            "waymark_loop_delay_seconds", "By how much the event loop was late, looked at every 50 ms.",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._stalls = Counter(
            "waymark_loop_stalled", f"Times that the event loop was late by {LOGGED_SECONDS} s or more.",
            registry=registry,
        )  # fmt: skip

    async def run(self) -> None:
        """Watches until it is cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            await asyncio.sleep(INTERVAL)
            self.record(now() - began - INTERVAL)

    def record(self, delay: float) -> None:
        """Records one delay, in seconds."""
        self._delays.observe(max(delay, 0.0))
        if delay >= LOGGED_SECONDS:
            self._stalls.inc()
            log.warning("event_loop_stalled", ms=round(delay * 1000))
