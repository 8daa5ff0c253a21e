"""A soak: mixed requests against one server process, whose memory, descriptors, connections and tables stay flat.

Reads, logins, refreshes, wrong passwords, requests for links, writes, sign-ins through an identity provider, and
documents of strangers, a number of them or for some minutes. What the process holds is compared after each twentieth
once the server is warm; tables after a sweep 200 days later, when everything that only these requests needed has ended.
"""

import argparse
import asyncio
import datetime as dt
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select

from auth.seals import Seals
from db.database import Database
from db.models.user import User
from domain import clock
from services.settings import read_settings
from services.storage.file_store import open_store
from services.sweeper import Sweeper, swept_classes
from tests.support.client import PASSWORD, HttpClient
from tests.support.databases import BACKENDS, Databases
from tests.support.demo_server import Demo
from tests.support.identity_login import Visit, configure
from tests.support.openid_provider import OpenIdProvider
from tests.support.server_process import ServerProcess, server_process
from tests.system.fuzz.fuzzing import NO_LIMITS

PARTS = 20
# The first parts fill caches. After them memory may grow by this share at most.
WARM_UP, MOST_GROWTH = 0.25, 1.1
# A pool opens a connection more when requests happen to meet, and keeps it.
MORE_DESCRIPTORS = 8
WORKERS = ("learner", "assessor", "employer.manager", "master.admin")


@dataclass(frozen=True)
class Held:
    """What the server process holds: resident memory in MB, open descriptors, and sockets of all kinds."""

    megabytes: float
    descriptors: int
    connections: int

    @classmethod
    def by(cls, process: psutil.Process) -> "Held":
        """Returns what the process holds now."""
        return cls(process.memory_info().rss / 1e6, process.num_fds(), len(process.net_connections("all")))


class Soak:
    """What the clients send in turn, and how many answers had each status."""

    def __init__(self, server: ServerProcess, openid: OpenIdProvider) -> None:
        self.server, self.openid, self.statuses = server, openid, Counter[int]()

    async def client(self, username: str, numbers: Iterator[int]) -> None:
        """Sends requests as one user while there are numbers, which the clients share."""
        async with self.server.signed_in(username) as person:
            learners = await person.data("{ learners(first: 1) { nodes { id } } }")
            learner = learners["learners"]["nodes"][0]["id"]
            for number in numbers:
                await self._request(person, username, learner, number)

    async def _send(self, person: HttpClient, body: dict[str, Any]) -> dict[str, Any]:
        answer = await person.http.post("/graphql", json=body)
        self.statuses[answer.status_code] += 1
        return answer.json().get("data") or {}

    async def _request(self, person: HttpClient, username: str, learner: str, number: int) -> None:
        def saved(name: str, **variables: Any) -> dict[str, Any]:
            return {"documentId": name, "variables": variables}

        match number % 20:
            case 0:
                account = {"username": username, "password": PASSWORD}
                found = await self._send(person, saved("sign_in", **account))
                await self._send(person, saved("log_out", refreshToken=found["login"]["refreshToken"]))
            case 1:
                found = await self._send(person, saved("token_refresh", refreshToken=person.tokens["refreshToken"]))
                person.use(found["tokenRefresh"])
            case 2:
                await self._send(person, saved("sign_in", username=f"nobody-{number}", password="wrong"))
            case 3:
                await self._send(person, {"query": f"{{ viewer {{ role }} n{number}: __typename }}"})
            case 4:
                query = "mutation($username: String!) { passwordResetRequest(username: $username) { errors { code } } }"
                await self._send(person, {"query": query, "variables": {"username": f"nobody-{number}"}})
            case 5 if number % 200 == 5:
                await self._sign_in_with_provider(person)
            case 6 if username == "learner":
                entry = {
                    "learnerId": learner, "date": clock.today().isoformat(), "minutes": 5,
                    "activityType": "COACHING_OR_MENTORING", "comments": f"Practice {number}.",
                }  # fmt: skip
                await self._send(person, saved("log_time", input=entry))
            case 7 | 8 | 9:
                await self._send(person, saved("employer_dashboard", first=20))
            case 10 | 11:
                await self._send(person, saved("time_log", learnerId=learner))
            case 12:
                answer = await person.http.get("/kpi/")
                self.statuses[answer.status_code] += 1
            case _:
                await self._send(person, saved("progress_map", learnerId=learner))

    async def _sign_in_with_provider(self, person: HttpClient) -> None:
        (offered,) = (await self._send(person, {"documentId": "identity_providers"}))["identityProviders"]
        returned = await Visit(self.openid.client.redirect_uri).input(offered)
        found = await self._send(person, {"documentId": "sign_in_with_provider", "variables": {"input": returned}})
        assert found["loginWithProvider"]["errors"] == []


async def rows(database: Database) -> dict[str, int]:
    """Returns the number of rows of each table that is swept."""
    tables = [entity.__table__ for entity, _ in swept_classes()]
    counts = [(await database.rows(select(func.count().label("rows")).select_from(table)))[0].rows for table in tables]
    return {table.name: count for table, count in zip(tables, counts, strict=True)}


def part_of(numbers: Iterator[int], requests: int, minutes: float | None) -> Iterator[int]:
    """Yields the numbers of the next twentieth: of `requests`, or of `minutes` from now if they are given."""
    if minutes is None:
        return islice(numbers, requests // PARTS)
    end = time.monotonic() + minutes * 60 / PARTS
    return takewhile(lambda _: time.monotonic() < end, numbers)


async def run(backend: str, requests: int, minutes: float | None) -> bool:
    """Prints the figures; returns whether all that is held stayed flat and no answer was a fault."""
    with tempfile.TemporaryDirectory(prefix="waymark-soak-") as place:
        folder, databases = Path(place), Databases(Path(place) / "databases")
        url = await Demo(databases, folder / "demo").copied(backend, folder)
        database = Database(url)
        async with OpenIdProvider("https://app.example/kpi/") as openid:
            (maya,) = await database.rows(select(User.email).where(User.username == "learner"))
            openid.tell(person={"sub": "maya", "email": maya.email, "email_verified": True})
            async with server_process(url, folder, **NO_LIMITS) as server:
                seals = Seals(read_settings(server.environment).secret_keys)
                await configure(database, seals, 1, openid)
                before, begun = await rows(database), time.monotonic()
                soak, process = Soak(server, openid), psutil.Process(server.pid)
                held: list[Held] = []
                numbers = count()
                for part in range(PARTS):
                    shared = part_of(numbers, requests, minutes)
                    await asyncio.gather(*(soak.client(name, shared) for name in WORKERS))
                    held.append(Held.by(process))
                    print(
                        f"{part + 1} of {PARTS}: {held[-1].megabytes:.0f} MB, {held[-1].descriptors} descriptors, "
                        f"{held[-1].connections} connections, {sum(soak.statuses.values())} requests", flush=True,
                    )  # fmt: skip
                seconds = time.monotonic() - begun
                server.terminate()
                await server.stopped()
        grown = await rows(database)
        store = open_store(folder / "files")
        for _ in range(1 + sum(soak.statuses.values()) // 10_000):
            await Sweeper(database, store).sweep(clock.now() + dt.timedelta(days=200))
        after = await rows(database)
        await database.close()
        await databases.close()
    warm, *later = held[int(len(held) * WARM_UP) :]
    growth = max(each.megabytes for each in later) / warm.megabytes
    descriptors, connections = max(each.descriptors for each in later), max(each.connections for each in later)
    left = {name: after[name] for name in after if after[name] > before[name]}
    faults = {status: count for status, count in soak.statuses.items() if status >= 500}
    print(f"{backend}: {sum(soak.statuses.values())} requests in {seconds:.0f} s, {dict(soak.statuses)}")
    print(f"memory: {warm.megabytes:.0f} MB warm, most {growth:.2f} times that")
    print(f"descriptors: {warm.descriptors} warm, most {descriptors}; connections: {warm.connections}, {connections}")
    print(f"tables that are swept: {sum(grown.values())} rows of {len(grown)} tables")
    print(f"rows after the sweep, where more than before: {left or 'none'}")
    flat = growth <= MOST_GROWTH and descriptors <= warm.descriptors + MORE_DESCRIPTORS
    return flat and not left and not faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=BACKENDS, default="sqlite")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, help="how long, instead of a number of requests")
    arguments = parser.parse_args()
    sys.exit(0 if asyncio.run(run(arguments.database, arguments.requests, arguments.minutes)) else 1)
