"""Measures live streams: how open streams with changes affect the reads of others, and how soon an event comes.

`scripts/bench --live` runs it, on the database of `--writes`. Learners hold streams of their KPIs while some of them
log time at a steady rate, and one connection reads a small query. It measures the reads alone, beside the changes, and
beside the changes and the streams.
"""

import argparse
import asyncio
import datetime as dt
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import asyncpg

from bench.connection import Connection
from bench.measure import Cores
from bench.postgres import Postgres
from bench.screens import ROOT
from bench.servers import Server, encode_post, waymark
from bench.write_requests import Writer
from bench.writes import prepare
from domain import clock

STREAMS, CHANGES_A_SECOND = 500, 2.0
# How long the last events are waited for after the measurement.
_LAST_EVENTS_SECONDS = 5.0
_STREAM = "subscription Live { kpisChanged { offTheJob { actualMinutes } } }"
_READ = "query Read { viewer { user { name } learner { id aims { title } } } }"
_CHANGE = "mutation Log($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) { refusals: errors { code } } }"


@dataclass(slots=True)
class Phase:
    """What one phase measured. Times are in milliseconds."""

    name: str
    reads: list[float] = field(default_factory=list)
    changes: int = 0
    # From a change to the event at the stream of its learner, and to those of others.
    events: list[float] = field(default_factory=list)
    others: int = 0
    # The transactions of the database. A statement of a read is one.
    transactions: int = 0


async def measure_phase(
    phase: Phase, server: Server, url: str, readers: Sequence[Writer], writers: Sequence[Writer],
    streams: Sequence[Writer], seconds: float,
) -> None:  # fmt: skip
    """Reads, changes at a steady rate unless there are no writers, and holds the streams, for `seconds`."""
    received: dict[int, float] = {}
    ready, arrived = 0, asyncio.Event()

    def event_of(learner: int) -> Callable[[], None]:
        first = True

        def on_event() -> None:
            nonlocal first, ready
            if first:
                first, ready = False, ready + 1
            elif learner in changed:
                received[learner] = time.perf_counter()
                arrived.set()
            else:
                phase.others += 1

        return on_event

    changed: dict[int, float] = {}
    async with AsyncExitStack() as stack:
        listening = []
        for each in streams:
            connection = await Connection().open(server.port)
            stack.callback(connection.close)
            request = encode_post(_STREAM, "Live", {}, each.token)
            listening.append(asyncio.create_task(connection.listen(request, event_of(each.learner))))
            if len(listening) % 20 == 0:
                await asyncio.sleep(0.05)
        while ready < len(streams):
            await asyncio.sleep(0.1)
            for task in listening:
                if task.done():
                    task.result()
        before, began = await _transactions(url), time.perf_counter()
        await asyncio.gather(
            _read(phase, server, readers, began + seconds),
            _change(phase, server, writers, changed, began + seconds),
        )
        await _last_events(changed if streams else {}, received, arrived)
        phase.events += [(at - changed[learner]) * 1000 for learner, at in received.items()]
        phase.transactions = await _transactions(url) - before
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def _read(phase: Phase, server: Server, readers: Sequence[Writer], until: float) -> None:
    connection = await Connection().open(server.port)
    for reader in itertools.cycle(readers):
        sent = time.perf_counter()
        if sent >= until:
            break
        answer = await connection.answer(encode_post(_READ, "Read", {}, reader.token))
        if b'"errors"' in answer:
            raise RuntimeError(answer.decode())
        phase.reads.append((time.perf_counter() - sent) * 1000)
    connection.close()


async def _last_events(changed: dict[int, float], received: dict[int, float], arrived: asyncio.Event) -> None:
    """Waits for the events of the changes that were made shortly before the end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_EVENTS_SECONDS):
            while len(received) < len(changed):
                arrived.clear()
                await arrived.wait()


async def _change(
    phase: Phase, server: Server, writers: Sequence[Writer], changed: dict[int, float], until: float
) -> None:
    connection = await Connection().open(server.port)
    for number, writer in enumerate(writers):
        sent = time.perf_counter()
        if sent >= until:
            break
        day = (clock.today() - dt.timedelta(days=number % 30)).isoformat()
        entry = {
            "learnerId": f"Learner_{writer.learner}", "date": day, "activityType": "TRAINER_LED_TRAINING", "minutes": 1,
            "comments": "Bench",
        }  # fmt: skip
        changed[writer.learner] = sent
        answer = json.loads(await connection.answer(encode_post(_CHANGE, "Log", {"input": entry}, writer.token)))
        if "errors" in answer or answer["data"]["timeLogEntryAdd"]["refusals"]:
            raise RuntimeError(str(answer))
        phase.changes += 1
        await asyncio.sleep(max(0.0, 1 / CHANGES_A_SECOND - (time.perf_counter() - sent)))
    await asyncio.sleep(max(0.0, until - time.perf_counter()))
    connection.close()


async def _transactions(url: str) -> int:
    # Statistics of a backend are sent when it is idle for a moment.
    await asyncio.sleep(1.5)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        statement = "select xact_commit from pg_stat_database where datname = current_database()"
        return int(await connection.fetchval(statement))
    finally:
        await connection.close()


def render(phases: Sequence[Phase]) -> str:
    """Returns the results as a table of Markdown."""
    lines = [
        "| phase | reads/s relative | p50 ms of a read | relative | p99 ms | changes | events (of others) | "
        "ms to an event: median | longest | transactions per change |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    first, each_read = phases[0], phases[0].transactions / len(phases[0].reads)
    for each in phases:
        p50, p99 = median(each.reads), sorted(each.reads)[len(each.reads) * 99 // 100]
        per_change = "-"
        if each.changes:
            per_change = f"{(each.transactions - each_read * len(each.reads)) / each.changes:.1f}"
        times = f"{median(each.events):.0f} | {max(each.events):.0f}" if each.events else "- | -"
        lines.append(
            f"| {each.name} | {len(each.reads) / len(first.reads):.2f} | {p50:.1f} | {p50 / median(first.reads):.2f} | "
            f"{p99:.1f} | {each.changes} | {len(each.events)} ({each.others}) | {times} | {per_change} |"
        )
    return "\n".join(lines)


def main(arguments: argparse.Namespace, cores: Cores | None) -> int:
    """Runs the benchmark and prints the results; returns the exit status."""
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres-writes", durable=True))
        if cores:
            os.sched_setaffinity(postgres.pid, cores.others)
        database, people = asyncio.run(prepare(postgres, folder / "files"))
        server = waymark(postgres, database, folder / "waymark-live", WAYMARK_LIMIT_CONNECTIONS_NETWORK="2000")
        stack.callback(server.stop)
        server.start(folder, cores.server if cores else None)
        url, seconds = postgres.url(database), arguments.seconds * arguments.rounds
        # Those who write have a stream each; who reads has none.
        streams, readers = people[:STREAMS], people[-16:]
        half = len(streams) // 2
        phases = [
            Phase("reads alone"),
            Phase(f"with {CHANGES_A_SECOND:g} changes a second"),
            Phase(f"with changes and {len(streams)} streams"),
        ]
        for phase, writers, open_streams in zip(
            phases, ([], streams[:half], streams[half:]), ([], [], streams), strict=True
        ):
            work = measure_phase(phase, server, url, readers, writers, open_streams, seconds)
            asyncio.run(work)
            print(f"{phase.name}: {len(phase.reads)} reads, {len(phase.events)} events", file=sys.stderr)
    print(render(phases))
    return 0
