"""What size does: the same request in larger databases, memory over many requests, and a second process."""

import threading
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.cohort import Viewer
from bench.comparison import asks, second_pages
from bench.measure import measure, resident, settle
from bench.postgres import Postgres
from bench.servers import Server


def growth(
    servers: Sequence[tuple[int, Server, Sequence[Viewer]]], postgres: Postgres, *, screens: Sequence[str], rounds: int,
    seconds: float, cores: tuple[set[int], set[int]] | None, say: Any,
) -> dict[str, dict[int, float]]:  # fmt: skip
    """By screen and number of learners in the database, the median time of one request in milliseconds, one at a time."""
    found: dict[str, dict[int, float]] = {}
    pages = {size: second_pages(server, viewers) for size, server, viewers in servers}
    for screen in screens:
        times: dict[int, list[float]] = {size: [] for size, _, _ in servers}
        for number in range(rounds):
            for size, server, viewers in servers:
                raw = [server.raw(ask) for ask in asks(viewers, screen, pages[size])]
                settle()
                taken = measure(server, postgres, raw, 1, seconds, cores and cores[1], offset=number * 37)
                times[size].append(taken.p50)
        found[screen] = {size: median(each) for size, each in times.items()}
        say(f"growth, {screen}: " + ", ".join(f"{size:,} {each:.2f} ms" for size, each in found[screen].items()))
    return found


def memory(server: Server, viewers: Sequence[Viewer], postgres: Postgres, requests: int, say: Any) -> dict[int, float]:
    """Megabytes that the process holds, by how many requests it has answered: every screen in turn, 8 at once."""
    pages = second_pages(server, viewers)
    raw = [
        server.raw(ask)
        for trio in zip(*(asks(viewers, screen, pages) for screen in ("map", "dashboard", "kpis")), strict=True)
        for ask in trio
    ]
    held = {0: resident(server)}
    for done in (requests // 10, requests // 2, requests):
        measure(server, postgres, raw, 8, 600, None, most=done - max(held))
        held[done] = resident(server)
    say("memory: " + ", ".join(f"{done:,} {megabytes:.0f} MB" for done, megabytes in held.items()))
    return held


def two_processes(
    servers: Sequence[Server], viewers: Sequence[Viewer], postgres: Postgres, *, rounds: int, seconds: float, say: Any
) -> dict[str, float]:
    """Requests a second of one process and of two beside each other, the machine's cores left to the system."""
    raw = [servers[0].raw(ask) for ask in asks(viewers, "map", {})]
    one, two = [], []
    for _ in range(rounds):
        settle()
        one.append(measure(servers[0], postgres, raw, 16, seconds, None).per_second)
        found: list[float] = []
        threads = [
            threading.Thread(
                target=lambda server=server: found.append(measure(server, postgres, raw, 8, seconds, None).per_second)
            )
            for server in servers
        ]
        settle()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        two.append(sum(found))
    say(f"processes: one {median(one):.0f}/s, two {median(two):.0f}/s")
    return {"one": median(one), "two": median(two)}
