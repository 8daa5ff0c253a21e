"""Renders the results as Markdown: versions and machine, ratios with their spread, goals, growth."""

import datetime as dt
import os
import platform
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.comparison import Series
from bench.screens import SCREENS

BEGIN, END = "<!-- scripts/bench results: begin -->", "<!-- scripts/bench results: end -->"
_LIBRARIES = (
    "graphql-core", "strawberry-graphql", "starlette", "uvicorn", "uvloop", "httptools", "asyncpg", "sqlalchemy",
    "orjson",
)  # fmt: skip
# The minimum throughput relative to a peer, by peer and screen, at 1 and at 16 connections.
_PEER_GOALS = {("PostGraphile", "map"): 2.0, ("PostGraphile", "dashboard"): 2.0, ("Mercurius", "dashboard"): 1.0}
_CONNECTIONS = (1, 16)
_MAX_GROWTH = 1.2


@dataclass(slots=True)
class Results:
    """Everything that one run has measured.

    `growth`: milliseconds by screen and number of learners. `memory`: megabytes by number of requests. `processes`:
    requests a second of "one" and "two". `peers`: versions by package.
    """

    learners: int
    rounds: int
    seconds: float
    pinned: bool
    postgres: str = ""
    series: list[Series] = field(default_factory=list)
    growth: dict[str, dict[int, float]] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    processes: dict[str, float] = field(default_factory=dict)
    peers: dict[str, str] = field(default_factory=dict)

    def find(self, server: str, screen: str, connections: int) -> Series | None:
        """Returns the measurements of a server, or None if it was not measured."""
        key = server, screen, connections
        return next((each for each in self.series if (each.server, each.screen, each.connections) == key), None)


def render(results: Results) -> str:
    """Returns the results as Markdown between two comments, so that a later run replaces nothing else."""
    parts = [BEGIN, _setup(results), *_tables(results), _goals(results)]
    if results.growth:
        parts.append(_growth(results))
    return "\n\n".join([*parts, END]) + "\n"


def replace_results(path: Path, results: str) -> str:
    """Returns the page's text with the results replaced; the text around them stays."""
    if not path.exists():
        return f"# Benchmark\n\n{results}"
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text:
        return f"{text.rstrip()}\n\n{results}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}\n?", lambda _: results, text, flags=re.DOTALL)


def _setup(results: Results) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    pinned = (
        "one core for the server under test, the rest for PostgreSQL and the load" if results.pinned else "not pinned"
    )
    return (
        f"Measured on {dt.datetime.now(dt.UTC):%d %B %Y, %H:%M} UTC: {results.learners:,} learners, "
        f"{results.rounds} rounds of {results.seconds:g} s per server and screen. {_machine()}; {pinned}. The load "
        f"average was {os.getloadavg()[0]:.1f} at the end.\n\n"
        f"{results.postgres}; Python {platform.python_version()}; {libraries}"
        + "".join(f"; {name} {each}" for name, each in results.peers.items())
        + "."
    )


def _machine() -> str:
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), {platform.system()} {platform.release()}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _tables(results: Results) -> list[str]:
    tables = []
    for screen, each_screen in SCREENS.items():
        title = each_screen.title
        lines = [
            f"### {title[0].upper()}{title[1:]}",
            "",
            "| server | connections | relative to LIMIT (spread) | requests/s | p50 ms | p99 ms "
            "| CPU ms per request: server | PostgreSQL | SQL statements |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {each.server} | {each.connections} | {each.ratio} | {each.median_of('per_second'):.0f} "
            f"| {each.median_of('p50'):.1f} | {each.median_of('p99'):.1f} | {each.median_of('server_cpu'):.2f} "
            f"| {each.median_of('database_cpu'):.2f} | {each.statements:.0f} |"
            for each in results.series
            if each.screen == screen
        ]
        tables.append("\n".join(lines))
    return tables


def _goals(results: Results) -> str:
    lines = ["### Goals", "", "| goal | target | measured | |", "|---|---|---|---|"]

    def add(goal: str, target: str, measured: float, is_met: bool) -> None:
        lines.append(f"| {goal} | {target} | {measured:.2f} | {'met' if is_met else 'missed'} |")

    for series in results.series:
        if series.server == "Waymark":
            minimum, ratio = SCREENS[series.screen].goal, median(series.ratios)
            goal = f"{series.screen}, {_count(series.connections)}: relative to LIMIT"
            add(goal, f"at least {minimum:g}", ratio, ratio >= minimum)
    for (peer, screen), minimum in _PEER_GOALS.items():
        for connections in _CONNECTIONS:
            ours, theirs = results.find("Waymark", screen, connections), results.find(peer, screen, connections)
            if ours and theirs:
                pairs = zip(ours.measurements, theirs.measurements, strict=True)
                ratio = median([one.per_second / other.per_second for one, other in pairs])
                goal = f"{screen}, {_count(connections)}: relative to {peer}"
                add(goal, f"at least {minimum:g}", ratio, ratio >= minimum)
    for screen, each in SCREENS.items():
        if found := results.find("Waymark", screen, 1):
            statements = found.statements
            add(
                f"{screen}: SQL statements", f"at most {each.statements}", statements,
                round(statements) <= each.statements,
            )  # fmt: skip
    for screen, times in results.growth.items():
        smallest, largest = min(times), max(times)
        ratio = times[largest] / times[smallest]
        goal = f"{screen}: time with {largest:,} learners relative to {smallest:,}"
        add(goal, f"at most {_MAX_GROWTH:g}", ratio, ratio <= _MAX_GROWTH)
    if results.memory:
        first, last = sorted(results.memory)[1], max(results.memory)
        ratio = results.memory[last] / results.memory[first]
        goal = f"memory after {last:,} requests relative to {first:,}"
        add(goal, "1 (at most 1.02)", ratio, ratio <= 1.02)
    return "\n".join(lines)


def _count(connections: int) -> str:
    return f"{connections} connection{'' if connections == 1 else 's'}"


def _growth(results: Results) -> str:
    sizes = sorted(next(iter(results.growth.values())))
    lines = [
        "### Growth, memory, processes",
        "",
        "Median time of a request on one connection, by the number of learners in the database:",
        "",
        "| | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    lines += [
        f"| {screen} | " + " | ".join(f"{times[size]:.2f} ms" for size in sizes) + " |"
        for screen, times in results.growth.items()
    ]
    memory = ", ".join(f"{megabytes:.0f} MB after {done:,}" for done, megabytes in sorted(results.memory.items()))
    lines += ["", f"Memory of one process by number of requests answered: {memory}."]
    one, two = results.processes["one"], results.processes["two"]
    lines += [
        "",
        f"Progress maps, 16 connections: one process {one:.0f}/s, two processes {two:.0f}/s ({two / one:.2f}). "
        "PostgreSQL and the load use the same cores, so this is the limit of the machine, not of two processes.",
    ]
    return "\n".join(lines)
