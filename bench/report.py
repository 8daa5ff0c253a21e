"""The page with the results: tables of ratios with their spread, and what was measured with which versions, where, when."""

import datetime as dt
import os
import platform
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.comparison import SCREENS, Turn

BEGIN, END = "<!-- what scripts/bench wrote: begin -->", "<!-- what scripts/bench wrote: end -->"
_LIBRARIES = (
    "graphql-core", "strawberry-graphql", "starlette", "uvicorn", "uvloop", "httptools", "asyncpg", "sqlalchemy", "orjson",
)  # fmt: skip
# What spec/speed.md asks for: (screen, connections) -> at least so much of LIMIT's throughput.
_OF_LIMIT = {
    ("map", 1): 1.0, ("map", 16): 1.0, ("dashboard", 1): 0.5, ("dashboard", 16): 0.5, ("kpis", 1): 0.7, ("kpis", 16): 0.7,
}  # fmt: skip
_OF_PEERS = {
    "PostGraphile": {1: 2.0, 16: 2.0},
    "Mercurius": {1: 0.85, 16: 1.0},
    "Strawberry": {1: 20.0, 16: 40.0},
}
_MOST_STATEMENTS = {"map": 5, "dashboard": 5, "kpis": 4}


@dataclass(slots=True)
class Found:
    """Everything that one run has measured."""

    learners: int
    rounds: int
    seconds: float
    pinned: bool
    postgres: str = ""
    turns: list[Turn] = field(default_factory=list)
    growth: dict[str, dict[int, float]] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    processes: dict[str, float] = field(default_factory=dict)
    peers: dict[str, str] = field(default_factory=dict)

    def turn(self, server: str, screen: str, connections: int) -> Turn | None:
        """What was measured of a server, None where it was not asked for that."""
        wanted = server, screen, connections
        return next((turn for turn in self.turns if (turn.server, turn.screen, turn.connections) == wanted), None)


def page(found: Found) -> str:
    """The results in Markdown, between marks, so that a later run replaces them and nothing else."""
    parts = [BEGIN, _run(found), *_tables(found), _goals(found)]
    if found.growth:
        parts.append(_growth(found))
    return "\n\n".join([*parts, END]) + "\n"


def with_text_of(path: Path, results: str) -> str:
    """The page with new results in the place of the old; all that was written by hand stays."""
    if not path.exists():
        return f"# Benchmark\n\n{results}"
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text:
        return f"{text.rstrip()}\n\n{results}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}\n?", lambda _: results, text, flags=re.DOTALL)


def _run(found: Found) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    pinned = (
        "one core for the server that is asked, the rest for PostgreSQL and the load" if found.pinned else "not pinned"
    )
    return (
        f"Measured on {dt.datetime.now(dt.UTC):%d %B %Y, %H:%M} UTC: {found.learners:,} learners, {found.rounds} rounds of "
        f"{found.seconds:g} s a server and screen. {_machine()}; {pinned}. The load average was {os.getloadavg()[0]:.1f} at "
        f"the end.\n\n{found.postgres}; Python {platform.python_version()}; {libraries}"
        + "".join(f"; {name} {each}" for name, each in found.peers.items())
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


def _tables(found: Found) -> list[str]:
    tables = []
    for screen, words in SCREENS.items():
        lines = [
            f"### {words[0].upper()}{words[1:]}",
            "",
            "| server | at once | of LIMIT (spread) | requests/s | p50 ms | p99 ms | CPU ms a request: server | PostgreSQL "
            "| SQL statements |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {turn.server} | {turn.connections} | {turn.ratio} | {turn.of('per_second'):.0f} | {turn.of('p50'):.1f} "
            f"| {turn.of('p99'):.1f} | {turn.of('server_cpu'):.2f} | {turn.of('database_cpu'):.2f} "
            f"| {turn.statements:.0f} |"
            for turn in found.turns
            if turn.screen == screen
        ]
        tables.append("\n".join(lines))
    return tables


def _goals(found: Found) -> str:
    lines = ["### The goals", "", "| goal | wanted | reached | |", "|---|---|---|---|"]

    def line(words: str, wanted: str, reached: float, met: bool) -> None:
        lines.append(f"| {words} | {wanted} | {reached:.2f} | {'met' if met else 'missed'} |")

    for (screen, many), wanted in _OF_LIMIT.items():
        turn = found.turn("Waymark", screen, many)
        if turn:
            reached = median(turn.ratios)
            line(f"{screen}, {many} at once: of LIMIT", f"at least {wanted:g}", reached, reached >= wanted)
    for peer, goals in _OF_PEERS.items():
        for screen in ("map", "dashboard"):
            for many, wanted in goals.items():
                ours, theirs = found.turn("Waymark", screen, many), found.turn(peer, screen, many)
                if ours and theirs:
                    pairs = zip(ours.measured, theirs.measured, strict=True)
                    reached = median([one.per_second / other.per_second for one, other in pairs])
                    line(f"{screen}, {many} at once: of {peer}", f"at least {wanted:g}", reached, reached >= wanted)
    for screen, most in _MOST_STATEMENTS.items():
        turn = found.turn("Waymark", screen, 1)
        if turn:
            line(f"{screen}: SQL statements", f"at most {most}", turn.statements, round(turn.statements) <= most)
    for screen, times in found.growth.items():
        smallest, largest = min(times), max(times)
        grown = times[largest] / times[smallest]
        line(f"{screen}: time at {largest:,} learners, of that at {smallest:,}", "at most 1.3", grown, grown <= 1.3)
    if found.memory:
        first, last = sorted(found.memory)[1], max(found.memory)
        more = found.memory[last] / found.memory[first]
        line(f"memory after {last:,} requests, of that after {first:,}", "1 (at most 1.02)", more, more <= 1.02)
    return "\n".join(lines)


def _growth(found: Found) -> str:
    sizes = sorted(next(iter(found.growth.values())))
    lines = [
        "### Growth, memory, processes",
        "",
        "Median time of one request, one at a time, by the number of learners in the database:",
        "",
        "| | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    lines += [
        f"| {screen} | " + " | ".join(f"{times[size]:.2f} ms" for size in sizes) + " |"
        for screen, times in found.growth.items()
    ]
    held = ", ".join(f"{megabytes:.0f} MB after {done:,}" for done, megabytes in sorted(found.memory.items()))
    lines += ["", f"Memory of one process by requests answered: {held}."]
    one, two = found.processes["one"], found.processes["two"]
    lines += [
        "",
        f"Progress maps, 16 connections: one process {one:.0f}/s, two processes {two:.0f}/s ({two / one:.2f}). PostgreSQL and "
        "the load share the machine's cores with them, so this is what the machine gives, not what two processes could.",
    ]
    return "\n".join(lines)
