"""A user who works while an attack runs, and what it does to the time of the user's requests."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import psutil

from tests.support.http_server import Person
from tests.support.server_process import ServerProcess

# The user looks at the next thing after so long.
PAUSE_SECONDS = 0.02
SMALL_READ = "{ viewer { role user { name } } }"


@dataclass
class Times:
    """Milliseconds of each answer, by what was requested, and the answers that were not 200."""

    of: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0

    def p50(self, name: str) -> float:
        """The median."""
        return statistics.median(self.of[name])

    def p99(self, name: str) -> float:
        """The 99th percentile."""
        return sorted(self.of[name])[len(self.of[name]) * 99 // 100]

    def worst(self, name: str) -> float:
        """The slowest answer."""
        return max(self.of[name])


@asynccontextmanager
async def working(server: ServerProcess, person: Person) -> AsyncIterator[Times]:
    """Sends small requests of one user, one after the other, until the end of the block."""
    times = Times()

    async def work() -> None:
        async with httpx2.AsyncClient(base_url=server.address, timeout=120) as health:
            while True:
                for name, request in (
                    ("health", lambda: health.get("/health")),
                    ("small read", lambda: person.post(SMALL_READ)),
                ):
                    began = time.perf_counter()
                    answer = await request()
                    times.of.setdefault(name, []).append((time.perf_counter() - began) * 1000)
                    times.refused += answer.status_code != 200 or '"errors"' in answer.text
                    await asyncio.sleep(PAUSE_SECONDS)

    task = asyncio.create_task(work())
    try:
        yield times
    finally:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


def memory(server: ServerProcess) -> float:
    """The resident memory of the server and its worker processes, in MB."""
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    return sum(process.memory_info().rss for process in processes) / 1e6
