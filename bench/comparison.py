"""The comparison: the same requests to each server in turn, answers checked against each other, round after round."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from bench.cohort import Viewer
from bench.measure import Measured, count_statements, measure, settle
from bench.postgres import Postgres
from bench.servers import Ask, Server, for_peers

SCREENS = {
    "map": "progress map (1 learner, 3 aims x 12 units x 15 criteria)",
    "dashboard": "employer dashboard (200 learners x 3 aims, in 2 pages)",
    "kpis": "employer KPIs (1 object over 200 learners)",
}
# How many different requests are asked over and over, and how many answers are compared.
DIFFERENT, COMPARED = 400, 12


class Differs(Exception):
    """Two servers gave different data for the same request."""


@dataclass(slots=True)
class Turn:
    """All that was measured of one server, with one screen and so many connections."""

    server: str
    screen: str
    connections: int
    measured: list[Measured] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    statements: float = 0.0

    @property
    def ratio(self) -> str:
        """The median of the rounds' ratios to the first server, and their spread."""
        return f"{median(self.ratios):.2f} ({min(self.ratios):.2f} to {max(self.ratios):.2f})"

    def of(self, name: str) -> float:
        """The median of one measure."""
        return median(getattr(each, name) for each in self.measured)


def asks(viewers: Sequence[Viewer], screen: str, second_pages: dict[str, str | None], seed: int = 7) -> list[Ask]:
    """Random requests: whose screen it is and which learner's, first and second pages alike."""
    pick, made = random.Random(f"{screen}{seed}"), []
    for _ in range(DIFFERENT):
        viewer = pick.choice(viewers)
        after = pick.choice((None, second_pages[viewer.token])) if screen == "dashboard" else None
        made.append(Ask(screen, viewer.token, viewer.user, pick.choice(viewer.learners), after))
    return made


def second_pages(server: Server, viewers: Sequence[Viewer]) -> dict[str, str | None]:
    """Where each viewer's second page begins."""
    found = {}
    for viewer in viewers:
        page = server.data(Ask("dashboard", viewer.token, viewer.user))["learners"]["pageInfo"]
        found[viewer.token] = page["endCursor"] if page["hasNextPage"] else None
    return found


def check(servers: Sequence[Server], asked: Sequence[Ask]) -> None:
    """Raises Differs unless all servers give the first one's data, moments however they are spelled."""
    first, *others = servers
    for ask in asked[:COMPARED]:
        expected = _comparable(first.data(ask))
        for other in others:
            if ask.screen not in other.screens:
                continue
            wanted = expected if other.guarded else for_peers(ask.screen, expected)
            found = _comparable(other.data(ask))
            if found != wanted:
                raise Differs(
                    f"{other.name} and {first.name} differ on {ask.screen}: {_first_difference(wanted, found)}"
                )


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_comparable(each) for each in value]
    if isinstance(value, str) and len(value) >= 20 and value[4:5] == "-" and value[10:11] == "T":
        return datetime.fromisoformat(value).timestamp()
    return value


def _first_difference(wanted: Any, found: Any, path: str = "") -> str:
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        pairs = [(key, wanted[key], found[key]) for key in wanted]
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = [(index, *pair) for index, pair in enumerate(zip(wanted, found, strict=True))]
    else:
        return f"at {path or 'the top'} {str(wanted)[:300]} became {str(found)[:300]}"
    return next(_first_difference(one, other, f"{path}.{key}") for key, one, other in pairs if one != other)


def compare(
    servers: Sequence[Server], viewers: Sequence[Viewer], postgres: Postgres, database: str, *, screens: Sequence[str],
    rounds: int, seconds: float, connections: Sequence[int], cores: tuple[set[int], set[int]] | None, say: Any,
) -> list[Turn]:  # fmt: skip
    """The whole comparison; the first server is what the others are measured by. Raises Differs."""
    places, turns = second_pages(servers[0], viewers), []
    for screen in screens:
        asked = asks(viewers, screen, places)
        check(servers, asked)
        taking = [server for server in servers if screen in server.screens]
        raw = {server.name: [server.raw(ask) for ask in asked] for server in taking}
        statements = {
            server.name: asyncio.run(count_statements(server, postgres, database, raw[server.name]))
            for server in taking
        }
        for many in connections:
            table = [Turn(server.name, screen, many, statements=statements[server.name]) for server in taking]
            for number in range(rounds):
                for server, turn in zip(taking, table, strict=True):
                    settle()
                    turn.measured.append(
                        measure(
                            server, postgres, raw[server.name], many, seconds, cores and cores[1], offset=number * 37
                        )
                    )
                    turn.ratios.append(turn.measured[-1].per_second / table[0].measured[-1].per_second)
                say(f"{screen}, {many} at once, round {number + 1}: " + _line(table))
            turns += table
    return turns


def _line(table: Sequence[Turn]) -> str:
    return ", ".join(
        f"{turn.server} {turn.measured[-1].per_second:.0f}/s ({turn.measured[-1].server_cpu:.2f} ms)" for turn in table
    )
