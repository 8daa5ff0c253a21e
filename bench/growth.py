"""Measures scaling: request time in larger databases, memory over many requests, and a second process."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from bench.cohort import Viewer
from bench.comparison import find_second_pages, make_requests
from bench.measure import Cores, measure, resident_megabytes, settle
from bench.postgres import Postgres
from bench.screens import SCREENS
from bench.servers import Server


def measure_growth(
    servers: Sequence[tuple[int, Server, Sequence[Viewer]]], postgres: Postgres, *, screens: Sequence[str], rounds: int,
    seconds: float, cores: Cores | None, log: Callable[[str], None],
) -> dict[str, dict[int, float]]:  # fmt: skip
    """Returns the median request time in milliseconds on one connection, by screen and number of learners."""
    results: dict[str, dict[int, float]] = {}
    second_pages = {size: find_second_pages(server, viewers) for size, server, viewers in servers}
    for screen in screens:
        times: dict[int, list[float]] = {size: [] for size, _, _ in servers}
        for round_number in range(rounds):
            for size, server, viewers in servers:
                encoded = [server.encode(request) for request in make_requests(viewers, screen, second_pages[size])]
                settle()
                measurement = measure(
                    server, postgres, encoded, 1, seconds, cores and cores.others, offset=round_number * 37
                )
                times[size].append(measurement.p50)
        results[screen] = {size: median(each) for size, each in times.items()}
        log(f"growth, {screen}: " + ", ".join(f"{size:,} {time:.2f} ms" for size, time in results[screen].items()))
    return results


def measure_memory(
    server: Server, viewers: Sequence[Viewer], postgres: Postgres, requests: int, log: Callable[[str], None]
) -> dict[int, float]:
    """Returns the process's memory in megabytes by number of requests answered, all screens mixed, 8 connections."""
    second_pages = find_second_pages(server, viewers)
    by_screen = [make_requests(viewers, screen, second_pages) for screen in SCREENS]
    encoded = [server.encode(request) for group in zip(*by_screen, strict=True) for request in group]
    memory = {0: resident_megabytes(server)}
    for done in (requests // 5, requests // 2, requests):
        measure(server, postgres, encoded, 8, 600, None, max_requests=done - max(memory))
        memory[done] = resident_megabytes(server)
    log("memory: " + ", ".join(f"{done:,} {megabytes:.0f} MB" for done, megabytes in memory.items()))
    return memory


def measure_two_processes(
    servers: Sequence[Server], viewers: Sequence[Viewer], postgres: Postgres, *, rounds: int, seconds: float,
    log: Callable[[str], None],
) -> dict[str, float]:  # fmt: skip
    """Returns the requests a second of one process and of two at the same time, not pinned to cores."""
    encoded = [servers[0].encode(request) for request in make_requests(viewers, "map", {})]

    def throughput(server: Server, connections: int) -> float:
        return measure(server, postgres, encoded, connections, seconds, None).per_second

    one, two = [], []
    for _ in range(rounds):
        settle()
        one.append(throughput(servers[0], 16))
        settle()
        with ThreadPoolExecutor(len(servers)) as pool:
            two.append(sum(pool.map(throughput, servers, [8] * len(servers))))
    log(f"processes: one {median(one):.0f}/s, two {median(two):.0f}/s")
    return {"one": median(one), "two": median(two)}
