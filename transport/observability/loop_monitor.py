"""Watches the event loop: how long it was busy with one piece of work and served nothing else, and with what."""

import asyncio
import gc
import time
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from transport.observability.loop_watcher import LoopWatcher, Work

log = structlog.get_logger(__name__)

# How often the loop is looked at, and the delay from which it is logged by default, in seconds.
INTERVAL = 0.01
LOGGED_SECONDS = 0.1
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class LoopMonitor:
    """Sleeps again and again, and records by how much later than planned the loop woke it up.

    `logged_seconds`: from which delay it logs what the loop was busy with.
    """

    def __init__(self, registry: CollectorRegistry, logged_seconds: float = LOGGED_SECONDS) -> None:
        self.logged_seconds = logged_seconds
        self._delays = Histogram(
            "waymark_loop_delay_seconds", "By how much the event loop was late, looked at every 10 ms.",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._stalls = Counter(
            "waymark_loop_stalled", "Times that the event loop was late by WAYMARK_LOOP_MILLISECONDS or more.",
            registry=registry,
        )  # fmt: skip
        self._collections = Histogram(
            "waymark_gc_seconds", "Duration of a garbage collection, which stops everything else.", buckets=_SECONDS,
            registry=registry,
        )  # fmt: skip
        self._collecting_since = 0.0
        # Seconds of garbage collection since the loop was last looked at.
        self._collected = 0.0

    async def run(self) -> None:
        """Watches until it is cancelled."""
        now = time.monotonic
        gc.callbacks.append(self._note_collection)
        try:
            with LoopWatcher(self.logged_seconds / 2) as watcher:
                while True:
                    self._collected = 0.0
                    began = watcher.turned_at = now()
                    await asyncio.sleep(INTERVAL)
                    self.record(now() - began - INTERVAL, watcher.seen_since(began))
        finally:
            gc.callbacks.remove(self._note_collection)

    def record(self, delay: float, work: Work | None = None) -> None:
        """Records one delay, in seconds, and what the loop was seen to be busy with."""
        self._delays.observe(max(delay, 0.0))
        if delay >= self.logged_seconds:
            self._stalls.inc()
            work = work or Work()
            log.warning(
                "event_loop_stalled", ms=round(delay * 1000), request_id=work.request_id, operation=work.operation,
                where=work.where, gc_ms=round(self._collected * 1000),
            )  # fmt: skip

    def _note_collection(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._collecting_since = time.monotonic()
            return
        seconds = time.monotonic() - self._collecting_since
        self._collected += seconds
        self._collections.observe(seconds)
