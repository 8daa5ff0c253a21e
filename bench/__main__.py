"""The bench's command line: what to measure, how long, and where to write the results. See `--help`."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import live, loop, mixed_load, report, writes
from bench.cohort import Viewer, create_sessions, prepare_cohort
from bench.comparison import ResponseMismatch, run_comparison
from bench.growth import measure_growth, measure_memory, measure_two_processes
from bench.measure import Cores
from bench.node import node_servers, versions
from bench.postgres import Postgres
from bench.screens import ROOT, SCREENS
from bench.servers import KEY, Server, idiomatic_strawberry, limit, waymark

_SMALLEST_COHORT = 1_000
# The screens that are measured in cohorts of several sizes.
_GROWING = ("map", "dashboard", "kpis")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures Waymark against hand-written SQL (LIMIT) and other servers."
    )
    parser.add_argument("--quick", action="store_true", help="three minutes: 1,000 learners, no Node, no growth")
    parser.add_argument("--writes", action="store_true", help="only writes: mutations against the same by hand")
    parser.add_argument("--live", action="store_true", help="only live streams: 500 of them beside reads and changes")
    parser.add_argument("--beside", action="store_true", help="only small reads beside exports and sign-ins")
    parser.add_argument("--loop", action="store_true", help="only what holds up the event loop for 20 ms")
    parser.add_argument("--screens", nargs="+", choices=SCREENS, default=list(SCREENS), help="only these screens")
    parser.add_argument("--learners", type=int, help="learners in the database (default: 10,000; quick: 1,000)")
    parser.add_argument(
        "--largest", type=int, default=100_000, help="learners in the largest database of the growth table"
    )
    parser.add_argument("--rounds", type=int, help="measurements of each server (default: 5; quick: 3)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default: 3; quick: 1)")
    parser.add_argument("--no-node", action="store_true", help="leave out PostGraphile and Mercurius")
    parser.add_argument("--no-growth", action="store_true", help="leave out growth, memory and processes")
    parser.add_argument("--rebuild", action="store_true", help="build the cohorts again")
    parser.add_argument(
        "--page", type=Path, help="the file for the results (default: docs/benchmark.md; quick: none, only stdout)"
    )
    arguments = parser.parse_args()
    arguments.learners = arguments.learners or (1_000 if arguments.quick else 10_000)
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    arguments.seconds = arguments.seconds or (1.0 if arguments.quick else 3.0)
    arguments.no_node = arguments.no_node or arguments.quick
    arguments.no_growth = arguments.no_growth or arguments.quick
    arguments.page = arguments.page or (None if arguments.quick else ROOT / "docs" / "benchmark.md")
    return arguments


def _assign_cores() -> Cores | None:
    """Returns one core for the server and the others for PostgreSQL and the load; None if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores({usable[0]}, set(usable[1:])) if len(usable) > 1 else None


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Runs the benchmarks, prints the results and writes them to the page; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments, started_at = _parse_arguments(), time.monotonic()
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    cores = _assign_cores()
    if arguments.writes:
        return writes.main(arguments, cores)
    if arguments.live:
        return live.main(arguments, cores)
    if arguments.beside:
        return mixed_load.main(arguments, cores)
    if arguments.loop:
        return loop.main(arguments, cores)
    results = report.Results(arguments.learners, arguments.rounds, arguments.seconds, pinned=cores is not None)
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        if cores:
            os.sched_setaffinity(postgres.pid, cores.others)
        results.postgres = postgres.version
        database = asyncio.run(prepare_cohort(postgres, arguments.learners, folder / "files", arguments.rebuild))

        def start(server: Server, pinned: bool = True) -> Server:
            stack.callback(server.stop)
            server.start(folder, cores.server if cores and pinned else None)
            return server

        servers = [
            start(limit(postgres, database)),
            start(waymark(postgres, database, folder / "waymark")),
            start(idiomatic_strawberry(postgres, database)),
        ]
        if not arguments.no_node:
            servers += [start(server) for server in node_servers(postgres, database, folder, _log)]
            results.peers = versions(folder)
        viewers = asyncio.run(create_sessions(postgres.url(database), {"bench": KEY}, 16))
        results.series = run_comparison(
            servers, viewers, postgres, database, screens=arguments.screens, rounds=arguments.rounds,
            seconds=arguments.seconds, connection_counts=(1, 16), cores=cores, log=_log,
        )  # fmt: skip
        if not arguments.no_growth:
            _measure_growth(arguments, results, postgres, folder, viewers, start, cores)
    text = report.render(results)
    print(text)
    if arguments.page:
        arguments.page.write_text(report.replace_results(arguments.page, text), encoding="utf-8")
    _log(f"done in {time.monotonic() - started_at:.0f} seconds")
    return 0


def _measure_growth(
    arguments: argparse.Namespace,
    results: report.Results,
    postgres: Postgres,
    folder: Path,
    viewers: Sequence[Viewer],
    start: Callable[..., Server],
    cores: Cores | None,
) -> None:
    """Adds growth, memory and two processes to the results."""
    by_size = []
    for size in sorted({_SMALLEST_COHORT, arguments.learners, arguments.largest}):
        rebuild = arguments.rebuild and size != arguments.learners
        database = asyncio.run(prepare_cohort(postgres, size, folder / "files", rebuild))
        server = start(waymark(postgres, database, folder / f"waymark-{size}", name=f"Waymark-{size}"))
        by_size.append((size, server, asyncio.run(create_sessions(postgres.url(database), {"bench": KEY}, 5))))
    results.growth = measure_growth(
        by_size, postgres, screens=_GROWING, rounds=arguments.rounds, seconds=arguments.seconds, cores=cores,
        log=_log,
    )  # fmt: skip
    database = f"cohort_{arguments.learners}"
    fresh = start(waymark(postgres, database, folder / "waymark-memory", name="Waymark-memory"))
    results.memory = measure_memory(fresh, viewers, postgres, 10_000, _log)
    pair = [
        start(waymark(postgres, database, folder / f"waymark-{name}", name=f"Waymark-of-two-{name}"), pinned=False)
        for name in ("a", "b")
    ]
    results.processes = measure_two_processes(
        pair, viewers, postgres, rounds=arguments.rounds, seconds=arguments.seconds, log=_log
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ResponseMismatch as mismatch:
        sys.exit(str(mismatch))
