"""Reads everything that a viewer can read (`ViewerCrawler`), and compares two such responses."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auth.tokens import AccessClaims
from db import postgres_connection, read_pool
from db.database import Database
from domain import clock
from domain.enums import Role
from domain.reviews import STANDARD_MONTHS
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from resolvers.core.context import Client, Context
from schema.executor import code
from tests.authorization.oracle import Visibility
from tests.authorization.rows import TABLE_OF, Rows
from tests.authorization.schema_crawler import by_id_document, ids_in, nodes_document, roots_document, schema
from tests.support.viewers import services, viewer

LIFETIME = dt.timedelta(minutes=15)
PATIENCE_SECONDS = 120.0
# The types whose records are their viewer's own.
OWN = ("File", "AccessKey", "BulkExport", "ReportSchedule")


class ViewerCrawler:
    """Reads one database. `rows`: all rows, from which the ids come, also those that the database does not have now."""

    def __init__(self, database: Database, folder: Path, rows: Rows) -> None:
        self.database, self.rows = database, rows
        self.services = services(database, folder)
        self.now = clock.now()
        self.client = Client()
        self.ids = every_id(rows)

    def context(self, user: int, role: Role) -> Context:
        """Returns the context of an operation of a user. All operations have the same time."""
        row = next(row for row in self.rows["user_account"] if row["id"] == user)
        learner = next((row["id"] for row in self.rows["learner"] if row["user_id"] == user), None)
        provider = next(one for one in self.rows["provider"] if one["id"] == row["provider_id"])
        person, record = _Person(row), None if learner is None else _Person({"id": learner})
        rules = {
            "unit_signatures": tuple(Role(name) for name in provider["unit_signatures"]),
            "review_interval_weeks": provider["review_interval_weeks"],
            "review_months": provider["review_rule_months"] or STANDARD_MONTHS,
            "require_second_factor": tuple(Role(name) for name in provider["require_second_factor"]),
        }
        who = replace(viewer(person, role, record, **rules, disclaimer=provider["disclaimer"]), auth_session_key=user)
        # A subscription reads its viewer again: the scenario has a session for each user, with the key of the user.
        context = Context(self.services, who, self.client, claims=AccessClaims(user, role, user, self.now + LIFETIME))
        context._loaders = Loaders(ReadSession(self.database, who, self.services.qualifications, now=self.now))
        return context

    async def ask(self, user: int, role: Role, query: str, compiled: bool = False, **variables: Any) -> dict[str, Any]:
        """Returns the data of an operation. Raises AssertionError if it has errors.

        `compiled`: compiles it also if it is longer than what a client's may be, so that it runs as a client's does.
        """
        context = self.context(user, role)
        counters = schema().execution_context_class.counters()  # type: ignore[union-attr]
        not_compiled = counters.unsupported
        with pytest.MonkeyPatch.context() as patch:
            # One operation reads everything at once: it keeps the event loop from new connections for seconds.
            patch.setattr(postgres_connection, "CONNECT_SECONDS", PATIENCE_SECONDS)
            patch.setattr(read_pool, "ACQUIRE_SECONDS", PATIENCE_SECONDS)
            if compiled:
                patch.setattr(code, "MAX_LINES", 1_000_000)
            answer = await schema().execute(query, variable_values=variables, context_value=context)
        assert answer.errors is None, answer.errors[:3]
        assert counters.unsupported == not_compiled or not compiled
        return answer.data

    async def crawl(self, user: int, role: Role) -> dict[str, Any]:
        """Returns the result of all root fields, and of every id through `nodes`."""
        answer = await self.ask(user, role, roots_document(), compiled=True)
        answer["nodes"] = await self.nodes(user, role)
        return answer

    async def nodes(self, user: int, role: Role) -> dict[str, Any]:
        """Returns the result of every id through `nodes`, by id; None for an invisible record."""
        found: dict[str, Any] = {}
        for start in range(0, len(self.ids), 100):
            some = self.ids[start : start + 100]
            answer = await self.ask(user, role, nodes_document(), compiled=True, ids=some)
            found |= dict(zip(some, answer["nodes"], strict=True))
        return found

    async def by_id(self, user: int, role: Role) -> dict[str, Any]:
        """Returns the result of every id through the roots that take one."""
        return await self.ask(user, role, by_id_document(tuple(self.ids)))


class _Person:
    """A row's columns as attributes."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.__dict__.update(row)


def every_id(rows: Rows) -> list[str]:
    """Returns the id of every record, visible or not."""
    visibilities = [
        Visibility(rows, user["id"], Role.MASTER_ADMIN)
        for user in {row["provider_id"]: row for row in rows["user_account"]}.values()
    ]
    # Uploads, access keys, exports, schedules and tasks are their viewer's own.
    own = {f"{name}_{row['id']}" for name in OWN for row in rows[TABLE_OF[name]]}
    tasks = [Visibility(rows, grant["user_id"], grant["role"]).tasks for grant in rows["role_grant"]]
    return sorted(own.union(*(found for visibility in visibilities for found in visibility.ids.values()), *tasks))


def without_own(nodes: dict[str, Any]) -> dict[str, Any]:
    """Returns the nodes without those of the role in use: another viewer who sees the same records has others."""
    return {id: node for id, node in nodes.items() if not id.startswith(("Task_", "BulkExport_", "ReportSchedule_"))}


def without_fields(answer: Any, without: set[str]) -> Any:
    """Returns a response without some fields, at any depth."""
    if isinstance(answer, dict):
        return {name: without_fields(value, without) for name, value in answer.items() if name not in without}
    if isinstance(answer, list):
        return [without_fields(value, without) for value in answer]
    return answer


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Returns where two responses differ, at most 8 places."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        found = [line for name in one for line in differences(one[name], other[name], f"{path}/{name}")]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        found = [line for place in range(len(one)) for line in differences(one[place], other[place], f"{path}/{place}")]
    elif one == other:
        return []
    else:
        found = [f"{path}: {_short(one)} is not {_short(other)}"]
    return found[:8]


def _short(value: Any) -> str:
    return json.dumps(value, default=str)[:300]


def node_mismatches(visibility: Visibility, nodes: dict[str, Any], ids: Sequence[str]) -> list[str]:
    """Returns the ids that `node` gives and the oracle does not (leak), and the reverse (gap)."""
    seen = set().union(*visibility.ids.values())
    return [f"leak: {id}" for id in ids if nodes[id] and id not in seen] + [
        f"gap: {id}" for id in ids if not nodes[id] and id in seen
    ]


def unreachable(visibility: Visibility, answer: dict[str, Any]) -> list[str]:
    """Returns the visible records that no path reaches, except users and uploads that no record uses."""
    reached = ids_in({name: value for name, value in answer.items() if name != "nodes"})
    while True:
        further = ids_in([answer["nodes"].get(id) for found in reached.values() for id in found])
        if all(further[name] <= reached[name] for name in reached):
            break
        reached = {name: reached[name] | further[name] for name in reached}
    unused = {f"File_{row['id']}" for row in visibility.of("file", learner_id=None)}
    return sorted(id for name, seen in visibility.ids.items() if name != "User" for id in seen - unused - reached[name])


def leaks(visibility: Visibility, answer: Any) -> list[str]:
    """Returns the records in a response that the oracle does not allow, except users, to whom visible records refer."""
    reached, seen = ids_in(answer), visibility.ids
    return sorted(id for name, found in reached.items() if name != "User" for id in found - seen[name])
