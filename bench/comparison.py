"""Compares servers: sends the same requests to each in turn, in rounds, after checking that their data is equal."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from bench.cohort import Viewer
from bench.measure import Cores, Measurement, count_statements, measure, settle
from bench.postgres import Postgres
from bench.screens import DIARY_DAYS, SCREENS, ScreenRequest
from bench.servers import Server, peer_part
from domain.enums import Role

# The number of different requests in a measurement, and how many of their responses are compared.
REQUESTS, COMPARED = 400, 12


class ResponseMismatch(Exception):
    """Two servers returned different data for the same request."""


@dataclass(slots=True)
class Series:
    """The measurements of one server, for one screen and number of connections.

    `ratios` are the rounds' throughputs relative to the first server's, `statements` the SQL statements a request.
    """

    server: str
    screen: str
    connections: int
    measurements: list[Measurement] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    statements: float = 0.0

    @property
    def ratio(self) -> str:
        """The median and the spread of the ratios, as text."""
        return f"{median(self.ratios):.2f} ({min(self.ratios):.2f} to {max(self.ratios):.2f})"

    def median_of(self, name: str) -> float:
        """Returns the median of one field of the measurements."""
        return median(getattr(measurement, name) for measurement in self.measurements)


def make_requests(
    viewers: Sequence[Viewer], screen: str, second_pages: dict[str, str | None], seed: int = 7
) -> list[ScreenRequest]:
    """Returns random requests for a screen: any of its viewers, any of their learners, first and second pages."""
    choose, requests = random.Random(f"{screen}{seed}"), []
    theirs = [viewer for viewer in viewers if viewer.role is SCREENS[screen].role]
    for _ in range(REQUESTS):
        viewer = choose.choice(theirs)
        after = choose.choice((None, second_pages[viewer.token])) if screen == "dashboard" else None
        learner, day = choose.choice(viewer.learners), choose.randrange(DIARY_DAYS) if screen == "diary" else 0
        requests.append(ScreenRequest(screen, viewer.token, viewer.user, learner, after, day))
    return requests


def find_second_pages(server: Server, viewers: Sequence[Viewer]) -> dict[str, str | None]:
    """Returns the cursor of each viewer's second page of the dashboard, by token; None if there is only one page."""
    cursors = {}
    for viewer in viewers:
        if viewer.role is not Role.EMPLOYER_OVERVIEW:
            continue
        page_info = server.fetch(ScreenRequest("dashboard", viewer.token, viewer.user))["learners"]["pageInfo"]
        cursors[viewer.token] = page_info["endCursor"] if page_info["hasNextPage"] else None
    return cursors


def check_responses(servers: Sequence[Server], requests: Sequence[ScreenRequest]) -> None:
    """Raises ResponseMismatch unless all servers return the same data as the first."""
    first, *others = servers
    for request in requests[:COMPARED]:
        reference = _comparable(first.fetch(request))
        for other in others:
            if request.screen not in other.screens:
                continue
            expected = reference if other.checks_access else peer_part(request.screen, reference)
            actual = _comparable(other.fetch(request))
            if actual != expected:
                raise ResponseMismatch(
                    f"{other.name} and {first.name} differ on {request.screen}: {_first_difference(expected, actual)}"
                )


def _comparable(value: Any) -> Any:
    """Returns the data with times as timestamps, because servers write the same time in different ways."""
    if isinstance(value, dict):
        return {key: _comparable(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_comparable(child) for child in value]
    if isinstance(value, str) and len(value) >= 20 and value[4:5] == "-" and value[10:11] == "T":
        return datetime.fromisoformat(value).timestamp()
    return value


def _first_difference(expected: Any, actual: Any, path: str = "") -> str:
    if isinstance(expected, dict) and isinstance(actual, dict) and expected.keys() == actual.keys():
        pairs = [(key, expected[key], actual[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = [(index, *pair) for index, pair in enumerate(zip(expected, actual, strict=True))]
    else:
        return f"at {path or 'the root'}: expected {str(expected)[:300]}, got {str(actual)[:300]}"
    return next(_first_difference(one, other, f"{path}.{key}") for key, one, other in pairs if one != other)


def run_comparison(
    servers: Sequence[Server], viewers: Sequence[Viewer], postgres: Postgres, database: str, *, screens: Sequence[str],
    rounds: int, seconds: float, connection_counts: Sequence[int], cores: Cores | None, log: Callable[[str], None],
) -> list[Series]:  # fmt: skip
    """Measures every server. Ratios are relative to the first server. Raises ResponseMismatch."""
    second_pages, results = find_second_pages(servers[0], viewers), []
    for screen in screens:
        requests = make_requests(viewers, screen, second_pages)
        check_responses(servers, requests)
        compared = [server for server in servers if screen in server.screens]
        encoded = {server.name: [server.encode(request) for request in requests] for server in compared}
        statements = {
            server.name: asyncio.run(count_statements(server, postgres, database, encoded[server.name]))
            for server in compared
        }
        for connections in connection_counts:
            table = [
                Series(server.name, screen, connections, statements=statements[server.name]) for server in compared
            ]
            for round_number in range(rounds):
                for server, series in zip(compared, table, strict=True):
                    settle()
                    series.measurements.append(
                        measure(
                            server, postgres, encoded[server.name], connections, seconds, cores and cores.others,
                            offset=round_number * 37,
                        )
                    )  # fmt: skip
                    series.ratios.append(series.measurements[-1].per_second / table[0].measurements[-1].per_second)
                log(f"{screen}, {connections} connections, round {round_number + 1}: " + _round_summary(table))
            results += table
    return results


def _round_summary(table: Sequence[Series]) -> str:
    return ", ".join(
        f"{series.server} {series.measurements[-1].per_second:.0f}/s ({series.measurements[-1].server_cpu:.2f} ms)"
        for series in table
    )
