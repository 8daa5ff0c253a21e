"""The bench's command line: what to measure, how long, and where the page with the results goes. See `--help`."""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench import report
from bench.cohort import cohort, sign_in
from bench.comparison import SCREENS, Differs, compare
from bench.growth import growth, memory, two_processes
from bench.node import node_servers, versions
from bench.postgres import Postgres
from bench.servers import KEY, ROOT, Server, idiomatic, limit, waymark

_SMALLEST = 1_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Waymark beside LIMIT and its peers.")
    parser.add_argument("--quick", action="store_true", help="under three minutes: 1,000 learners, no Node, no growth")
    parser.add_argument("--learners", type=int, help="learners in the database (10,000; quick: 1,000)")
    parser.add_argument(
        "--most", type=int, default=100_000, help="learners in the largest database of the growth table"
    )
    parser.add_argument("--rounds", type=int, help="turns of each server (5; quick: 3)")
    parser.add_argument("--seconds", type=float, help="how long a turn takes (3; quick: 1)")
    parser.add_argument("--no-node", action="store_true", help="leave PostGraphile and Mercurius out")
    parser.add_argument("--no-growth", action="store_true", help="leave growth, memory and processes out")
    parser.add_argument("--afresh", action="store_true", help="make the cohorts again")
    parser.add_argument("--page", type=Path, help="where the results are written (docs/benchmark.md; quick: nowhere)")
    asked = parser.parse_args()
    asked.learners = asked.learners or (1_000 if asked.quick else 10_000)
    asked.rounds = asked.rounds or (3 if asked.quick else 5)
    asked.seconds = asked.seconds or (1.0 if asked.quick else 3.0)
    asked.no_node = asked.no_node or asked.quick
    asked.no_growth = asked.no_growth or asked.quick
    asked.page = asked.page or (None if asked.quick else ROOT / "docs" / "benchmark.md")
    return asked


def _cores() -> tuple[set[int], set[int]] | None:
    """One core for the server that is measured, the others for PostgreSQL and the load; None where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, set(usable[1:])) if len(usable) > 1 else None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Runs what was asked for and writes the page; the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    asked, began = _arguments(), time.monotonic()
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    cores = _cores()
    found = report.Found(asked.learners, asked.rounds, asked.seconds, pinned=cores is not None)
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        if cores:
            os.sched_setaffinity(postgres.pid, cores[1])
        found.postgres = postgres.version
        database = asyncio.run(cohort(postgres, asked.learners, folder / "files", asked.afresh))

        def start(server: Server, pinned: bool = True) -> Server:
            stack.callback(server.stop)
            server.start(folder, cores[0] if cores and pinned else None)
            return server

        servers = [
            start(limit(postgres, database)),
            start(waymark(postgres, database, folder / "waymark")),
            start(idiomatic(postgres, database)),
        ]
        if not asked.no_node:
            servers += [start(server) for server in node_servers(postgres, database, folder, _say)]
            found.peers = versions(folder)
        viewers = asyncio.run(sign_in(postgres.url(database), {"bench": KEY}, 16))
        found.turns = compare(
            servers, viewers, postgres, database, screens=tuple(SCREENS), rounds=asked.rounds, seconds=asked.seconds,
            connections=(1, 16), cores=cores, say=_say,
        )  # fmt: skip
        if not asked.no_growth:
            _grow(asked, found, postgres, folder, servers[1], viewers, start, cores)
    text = report.page(found)
    print(text)
    if asked.page:
        asked.page.write_text(report.with_text_of(asked.page, text), encoding="utf-8")
    _say(f"done in {time.monotonic() - began:.0f} seconds")
    return 0


def _grow(asked, found, postgres, folder, server, viewers, start, cores) -> None:
    sizes = sorted({_SMALLEST, asked.learners, asked.most})
    grown = []
    for size in sizes:
        database = asyncio.run(cohort(postgres, size, folder / "files", asked.afresh and size != asked.learners))
        each = start(waymark(postgres, database, folder / f"waymark-{size}", name=f"Waymark-{size}"))
        grown.append((size, each, asyncio.run(sign_in(postgres.url(database), {"bench": KEY}, 5))))
    found.growth = growth(
        grown, postgres, screens=tuple(SCREENS), rounds=asked.rounds, seconds=asked.seconds, cores=cores, say=_say
    )
    fresh = start(waymark(postgres, f"cohort_{asked.learners}", folder / "waymark-memory", name="Waymark-memory"))
    found.memory = memory(fresh, viewers, postgres, 10_000, _say)
    pair = [
        start(waymark(postgres, f"cohort_{asked.learners}", folder / f"waymark-{n}", name=f"Waymark-of-two-{n}"), False)
        for n in ("a", "b")
    ]
    found.processes = two_processes(pair, viewers, postgres, rounds=asked.rounds, seconds=asked.seconds, say=_say)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Differs as difference:
        sys.exit(str(difference))
