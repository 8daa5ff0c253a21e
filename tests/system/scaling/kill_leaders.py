"""Kills the leader of a PostgreSQL cluster again and again, under the load of two servers behind HAProxy.

Fails if an acknowledged write is lost or made twice, a stream ends or misses a change, or an answer is neither right
nor a clear refusal.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from db.database import Database
from db.migrate import migrate
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD
from tests.support.postgres_cluster import IS_INSTALLED, Cluster, postgres_cluster
from tests.support.reverse_proxies import haproxy
from tests.support.server_process import ServerProcess
from tests.support.subscriptions import Stream, streaming

WRITERS, READERS = 4, 2
WRITER, READER = "master.admin", "iqa"
# As long as a failover may take: the lease of the leader (20 s), and the election.
PATIENCE_SECONDS = 90.0
CREATE = "mutation($name: String!) { employerCreate(input: { name: $name }) { employer { id } errors { code } } }"
READ = "{ learners(first: 5) { totalCount nodes { id name } } }"
CREATED = """query($after: String) { employers(search: "Kept ", first: 100, after: $after) {
    nodes { name } pageInfo { hasNextPage endCursor } } }"""
RENAME = "mutation($id: ID!, $name: String!) { learnerUpdate(id: $id, input: { name: $name }) { errors { code } } }"
CHANGES = "subscription { learnerChanged { id name } }"


@dataclass
class Load:
    """Writers that repeat a write with its key until it is acknowledged, and readers that note each answer."""

    address: str
    acknowledged: list[str] = field(default_factory=list)
    # (when it was sent, when it was acknowledged).
    writes: list[tuple[float, float]] = field(default_factory=list)
    # (when it was sent, whether it was answered).
    reads: list[tuple[float, bool]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    is_over: bool = False

    async def write(self, number: int) -> None:
        async with httpx2.AsyncClient(base_url=self.address, timeout=60) as http:
            person = HttpClient(http)
            await person.sign_in(WRITER, PASSWORD)
            done = 0
            while not self.is_over:
                name, done = f"Kept {number}-{done:05}", done + 1
                while True:
                    began = time.monotonic()
                    body = await self._send(person, {"query": CREATE, "variables": {"name": name}}, name)
                    if body is not None:
                        if body["data"]["employerCreate"]["errors"]:
                            self.wrong.append(f"{name}: {body}")
                        self.acknowledged.append(name)
                        self.writes.append((began, time.monotonic()))
                        break
                    await asyncio.sleep(0.2)
                await asyncio.sleep(0.05)

    async def read(self) -> None:
        async with httpx2.AsyncClient(base_url=self.address, timeout=60) as http:
            person = HttpClient(http)
            await person.sign_in(READER, PASSWORD)
            while not self.is_over:
                began = time.monotonic()
                body = await self._send(person, {"query": READ})
                if body is not None and not body["data"]["learners"]["nodes"]:
                    self.wrong.append(f"an empty list: {body}")
                self.reads.append((began, body is not None))
                await asyncio.sleep(0.1)

    async def _send(self, person: HttpClient, request: dict, key: str | None = None) -> dict | None:
        """Returns the body of a good answer; None for a refusal, which is counted."""
        try:
            answer = await person.http.post("/graphql", json=request, headers={"idempotency-key": key} if key else {})
        except httpx2.TransportError as error:
            self.refused[type(error).__name__] += 1
            return None
        if answer.status_code == 200 and "errors" not in (body := answer.json()):
            return body
        if answer.status_code == 401:
            # An access token lasts a quarter of an hour, less than a long run.
            with suppress(AssertionError, KeyError, TypeError, httpx2.TransportError):
                await person.sign_in(WRITER if key else READER, PASSWORD)
        elif answer.status_code != 503:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
        self.refused[str(answer.status_code)] += 1
        return None


@dataclass
class Round:
    """What one failover cost: seconds until a write was acknowledged, and what readers got until then."""

    seconds: float
    reads: int
    answered: int
    gap: float

    def __str__(self) -> str:
        return (
            f"writes back after {self.seconds:5.1f} s; {self.answered} of {self.reads} reads answered meanwhile, "
            f"at most {self.gap:.1f} s without"
        )


async def kill_leader(cluster: Cluster, load: Load) -> Round:
    """Kills the leader, waits until writes are acknowledged, and starts the node again."""
    leader = await cluster.leader()
    assert leader is not None
    killed = time.monotonic()
    leader.kill()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (back := [done for began, done in load.writes if began > killed]):
            await asyncio.sleep(0.1)
    until = min(back)
    meanwhile = [(began, answered) for began, answered in load.reads if killed <= began <= until]
    moments = [killed, *(began for began, answered in meanwhile if answered), until]
    gap = max(after - before for before, after in zip(moments, moments[1:], strict=False))
    cluster.start_node(leader)
    await cluster.until_whole()
    return Round(until - killed, len(meanwhile), sum(answered for _, answered in meanwhile), gap)


async def rename_and_hear(person: HttpClient, learner: str, name: str, streams: list[Stream]) -> None:
    """Changes a learner's name, and waits for it in each stream."""
    async with asyncio.timeout(30):
        while (await person.post(RENAME, id=learner, name=name)).status_code != 200:
            await asyncio.sleep(0.5)
        for stream in streams:
            while (message := await stream.next()) is None or message["data"]["learnerChanged"]["name"] != name:
                assert message is not None, "a stream ended"


async def created(person: HttpClient) -> list[str]:
    """Returns the name of every record that the load made."""
    names: list[str] = []
    after = None
    while True:
        page = (await person.data(CREATED, after=after))["employers"]
        names += [node["name"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return names
        after = page["pageInfo"]["endCursor"]


async def run(rounds: int, folder: Path) -> bool:
    """Prints a line for each round and the sums; returns whether everything was as it must be."""
    async with postgres_cluster() as cluster, AsyncExitStack() as stack:
        database = Database(cluster.listen_url)
        await migrate(database)
        await build_demo(database, open_store(folder / "files"))
        await database.close()
        settings = {
            "WAYMARK_READ_DATABASE_URL": cluster.read_url, "WAYMARK_LISTEN_URL": cluster.listen_url,
            "WAYMARK_POOLER": "transaction-unprepared", "WAYMARK_LIMIT_BUDGET": "0",
        }  # fmt: skip
        servers = [ServerProcess(cluster.url, folder, settings) for _ in range(2)]
        for server in servers:
            await server.start()
            stack.callback(server.kill)
        address = await stack.enter_async_context(haproxy([server.port for server in servers], folder))
        people = [await stack.enter_async_context(server.signed_in("master.admin")) for server in servers]
        streams = [await stack.enter_async_context(streaming(person, CHANGES)) for person in people]
        learner = (await people[0].data(READ))["learners"]["nodes"][0]["id"]
        load = Load(address)
        tasks = [asyncio.create_task(load.write(number)) for number in range(WRITERS)]
        tasks += [asyncio.create_task(load.read()) for _ in range(READERS)]
        await asyncio.sleep(5)
        found = []
        for number in range(rounds):
            found.append(await kill_leader(cluster, load))
            print(f"{number + 1:3}: {found[-1]}", flush=True)
            await rename_and_hear(people[number % 2], learner, f"Round {number}", streams)
        load.is_over = True
        await asyncio.gather(*tasks)
        kept = Counter(await created(people[0]))
    return report(found, load, kept)


def report(found: list[Round], load: Load, kept: Counter[str]) -> bool:
    """Prints the sums; returns whether everything was as it must be."""
    lost = [name for name in load.acknowledged if name not in kept]
    twice = [name for name, number in kept.items() if number > 1]
    seconds, gaps = [each.seconds for each in found], [each.gap for each in found]
    print(f"{len(found)} leaders killed")
    print(f"{len(load.acknowledged)} writes acknowledged: {len(lost)} lost, {len(twice)} made twice")
    print(f"writes back after {statistics.median(seconds):.1f} s (median), {max(seconds):.1f} s (longest)")
    reads, answered = (sum(getattr(each, name) for each in found) for name in ("reads", "answered"))
    print(f"{answered} of {reads} reads answered meanwhile; at most {max(gaps):.1f} s without an answer")
    print(f"refused: {dict(load.refused)}; wrong: {len(load.wrong)}")
    print(*load.wrong[:5], sep="\n")
    return not (lost or twice or load.wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many leaders to kill")
    asked = parser.parse_args()
    if not IS_INSTALLED:
        sys.exit("Install postgresql, patroni, etcd-server, haproxy and pgbouncer first.")
    with tempfile.TemporaryDirectory(prefix="waymark-leaders-") as place:
        sys.exit(0 if asyncio.run(run(asked.rounds, Path(place))) else 1)
