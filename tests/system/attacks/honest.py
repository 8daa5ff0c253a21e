"""A user who works while an attack runs, and what it does to the time of the user's requests."""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx2
import psutil

from tests.support.client import PASSWORD, HttpClient
from tests.support.server_process import ServerProcess

# A request of each kind is sent so often, whether or not the ones before it were answered: a server that stands still
# is not asked less.
EVERY_SECONDS = 0.1
# One sign-in to so many rounds of the others: each costs as much of a core as forty small reads.
ROUNDS_OF_A_SIGN_IN = 5
SIGN_IN = "sign-in"
# Sign-ins come from a network of their own: those from the attackers' network share its allowance.
ELSEWHERE = {"X-Forwarded-For": "2001:db8:ffff::1"}
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
async def working(server: ServerProcess, person: HttpClient) -> AsyncIterator[Times]:
    """Sends small requests and sign-ins at a steady rate until the end of the block, and waits for the last answers."""
    times = Times()
    sent: set[asyncio.Task[None]] = set()

    async def measure(name: str, request: Callable[[], Awaitable[httpx2.Response]]) -> None:
        began = time.perf_counter()
        answer = await request()
        times.of.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        times.refused += answer.status_code != 200 or '"errors"' in answer.text.replace('"errors":[]', "")

    async def work(health: httpx2.AsyncClient) -> None:
        signing_in = {"documentId": "sign_in", "variables": {"username": "assessor", "password": PASSWORD}}
        requests: tuple[tuple[str, Callable[[], Awaitable[httpx2.Response]]], ...] = (
            ("health", lambda: health.get("/health")),
            ("small read", lambda: person.post(SMALL_READ)),
            (SIGN_IN, lambda: health.post("/graphql", json=signing_in)),
        )
        for number in itertools.count():
            for name, request in requests if number % ROUNDS_OF_A_SIGN_IN == 0 else requests[:2]:
                task = asyncio.create_task(measure(name, request))
                sent.add(task)
                task.add_done_callback(sent.discard)
                await asyncio.sleep(EVERY_SECONDS / 2)

    async with httpx2.AsyncClient(base_url=server.address, timeout=120, headers=ELSEWHERE) as health:
        task = asyncio.create_task(work(health))
        try:
            yield times
        finally:
            task.cancel()
            await asyncio.gather(task, *sent, return_exceptions=True)


def memory(pid: int) -> float:
    """The resident memory of a server and its worker processes, in MB."""
    megabytes = 0.0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        # A worker process may end meanwhile.
        with suppress(psutil.NoSuchProcess):
            megabytes += process.memory_info().rss / 1e6
    return megabytes
