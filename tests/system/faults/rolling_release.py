"""Releases this version over an older one, under load, with two processes behind HAProxy; fails if a request is lost.

python -m tests.system.faults.rolling_release [--from COMMIT] [--learners NUMBER]

With learners, the older version makes them first, and the clients read and write what belongs to them. After each step
the longest wait for an answer is printed.
"""

import argparse
import asyncio
import datetime as dt
import os
import sys
import tempfile
import zlib
from pathlib import Path

from sqlalchemy import text

from db.database import Database
from tests.support.databases import Databases
from tests.support.release import PASSWORD, USERNAME, Load, command, install, next_version, release, released_version
from tests.support.reverse_proxies import HAPROXY, haproxy, small_proxy
from tests.support.server_process import ServerProcess

# The commit of version 0.1.0.
FIRST_RELEASE = "3e51f5d"
SETTINGS = {"WAYMARK_DRAIN_SECONDS": "5", "WAYMARK_LIMIT_BUDGET": "0"}
# How long the older version may take to make learners, and each half of the migrations: 51 minutes have been seen.
SECONDS = 3 * 3600
# Of the learners that the older version makes: its users, and an operation that reads most tables about learners.
ADMIN, ASSESSOR, COHORT_PASSWORD = "cohort.admin", "cohort.assessor", "waymark-demo"
PORTFOLIOS = """{ learners(first: 3) { nodes { name trafficLight aims { status trafficLight }
    evidence(first: 3) { nodes { title status } } timeLog(first: 3) { nodes { minutes } }
    sessions(first: 3) { nodes { status } } actions(first: 3) { nodes { status } } } } }"""
LEARNERS = "{ learners(first: 20) { nodes { id aims { startDate } } } }"
LOG_TIME = """mutation { timeLogEntryAdd(input: { learnerId: "%s", date: "%s", minutes: 1, comments: "%s",
    activityType: COACHING_OR_MENTORING }) { timeLogEntry { id } errors { code } } }"""
WRITTEN = """SELECT (SELECT count(*) FROM employer WHERE name LIKE 'Site %')
    + (SELECT count(*) FROM time_log_entry WHERE comments LIKE 'Site %')"""


async def run(commit: str, folder: Path, learners: int) -> int:
    """Returns the exit status: 0 if no request failed and no acknowledged write is missing."""
    older, newer = released_version(folder / "older", commit), next_version(folder / "newer")
    databases = Databases(folder)
    # An empty database: the older version makes its tables.
    url = await databases._create("postgresql", None)
    servers = [ServerProcess(url, folder, SETTINGS) for _ in range(2)]
    try:
        await install(older, servers[0])
        if learners:
            words = ("demo", "--learners", str(learners))
            await asyncio.to_thread(command, older, servers[0], *words, seconds=SECONDS)
        for server in servers:
            server.root = older
            await server.start()
        proxy = haproxy if HAPROXY else small_proxy
        async with proxy([server.port for server in servers], folder) as address:
            loads = await _loads(address, servers[0], bool(learners))
            for load in loads:
                await load.start()
            await asyncio.sleep(2)
            _report(loads, "before")
            await release(servers, newer, lambda line: _report(loads, line), SECONDS)
            await asyncio.sleep(2)
            for load in loads:
                await load.stop()
            _report(loads, "after")
        database = Database(url)
        kept = (await database.rows(text(WRITTEN), primary=True))[0][0]
        await database.close()
    finally:
        for server in servers:
            if server.process is not None and server.process.poll() is None:
                server.kill()
        await databases.close()
    failed, written = [each for load in loads for each in load.failed], sum(len(load.written) for load in loads)
    sent, refreshed = sum(load.sent for load in loads), sum(load.refreshed for load in loads)
    lost = written - kept
    print(f"{sent} requests and {refreshed} refreshes of tokens, {len(failed)} failed;", end=" ")
    print(f"{written} writes acknowledged, {lost} lost.")
    print("\n".join(failed[:10]))
    return 1 if failed or lost else 0


async def _loads(address: str, server: ServerProcess, with_learners: bool) -> list[Load]:
    """Returns the clients: administrators, and with learners an assessor who logs time for some."""
    if not with_learners:
        return [Load(address, USERNAME, PASSWORD)]
    async with server.signed_in(ASSESSOR, COHORT_PASSWORD) as assessor:
        found = (await assessor.data(LEARNERS))["learners"]["nodes"]
    # This version refuses time before the first aim starts.
    before = str(dt.date.today() - dt.timedelta(days=3))
    keys = [each["id"] for each in found if any(aim["startDate"] < before for aim in each["aims"])]

    def log_time(name: str) -> str:
        number = zlib.crc32(name.encode())
        # Some days, because one has at most 24 hours for a learner.
        day = dt.date.today() - dt.timedelta(days=number % 3)
        return LOG_TIME % (keys[number % len(keys)], day, name)

    return [
        Load(address, ADMIN, COHORT_PASSWORD, PORTFOLIOS, clients=2),
        Load(address, ASSESSOR, COHORT_PASSWORD, PORTFOLIOS, log_time, clients=2),
    ]


def _report(loads: list[Load], step: str) -> None:
    """Prints a step that has ended, and the longest wait during it."""
    waits = sorted(wait for load in loads for wait in load.waits)
    for load in loads:
        load.waits.clear()
    print("\n".join(f"  {line}" for line in step.strip().splitlines()), flush=True)
    longest = f"longest wait {waits[-1]:.2f} s, 99 of 100 within {waits[len(waits) * 99 // 100]:.2f} s" if waits else ""
    load_average = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{len(waits):6} requests, {longest} (load {load_average})", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", default=FIRST_RELEASE, help="the commit to release over")
    parser.add_argument("--learners", type=int, default=0, help="how many learners the older version has (0)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waymark-release-") as place:
        sys.exit(asyncio.run(run(arguments.commit, Path(place), arguments.learners)))
