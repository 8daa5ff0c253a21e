"""Runs operations on the served schema with either executor, over a database with records of every kind."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLInputType, get_named_type
from graphql.execution import execute
from strawberry.execution import optimized_is_awaitable

from auth.viewer import Viewer
from db.database import Database, statement_count
from domain.enums import Role
from loaders.core.qualification_cache import QualificationCache
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from resolvers.core.context import Context, Services
from schema.executor import Counters
from schema.root import make_schema
from tests.authorization.oracle import Visibility
from tests.authorization.rows import Rows
from tests.authorization.viewer_crawler import every_id
from tests.schema.executor.random_operations import GENERATED
from tests.support.scenarios.authorization import AuthorizationScenario
from tests.support.viewers import services, viewer

# One user in each of the seven roles, each of whom sees many records.
PEOPLE = {
    Role.LEARNER: "ada", Role.ASSESSOR: "ann", Role.IQA: "ian", Role.EMPLOYER_MANAGER: "mo",
    Role.EMPLOYER_OVERVIEW: "olu", Role.BASIC_ADMIN: "bas", Role.MASTER_ADMIN: "may",
}  # fmt: skip

# The type whose ids an argument takes. Any other argument, and `node`, takes ids of all types.
_ID_TYPES = {
    "learner": "Learner", "aim": "Aim", "employer": "Employer", "evidence": "Evidence", "session": "Session",
    "signatureRequest": "SignatureRequest", "unit": "Unit", "learnerId": "Learner", "aimId": "Aim",
    "employerId": "Employer", "assessorId": "User",
}  # fmt: skip

# Turns of the event loop after which an operation has started every read that follows from the last results.
TURNS = 30


class RoundDatabase(Database):
    """Returns the results of all pending reads together, once no further read is started.

    The number of statements then depends on the executor, and not on which result happens to come first.
    """

    _running = 0
    _round: asyncio.Task[None] | None = None

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._waiting: list[asyncio.Future[None]] = []

    async def _fetch(self, sql: str, arguments: Sequence[Any], primary: bool) -> Sequence[Any]:
        self._running += 1
        try:
            rows = await super()._fetch(sql, arguments, primary)
        finally:
            self._running -= 1
        if not self._waiting:
            self._round = asyncio.ensure_future(self._end_round())
        self._waiting.append(end_of_round := asyncio.get_running_loop().create_future())
        await end_of_round
        return rows

    async def _end_round(self) -> None:
        quiet = 0
        while quiet < TURNS:
            await asyncio.sleep(0)
            quiet = 0 if self._running else quiet + 1
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():  # cancelled
                future.set_result(None)


class FixedTimeContext(Context):
    """A context whose loaders all use the same time, also those of a second attempt."""

    moment: dt.datetime

    def restart(self) -> None:
        self._loaders = loaders_of(self, self.moment)


def loaders_of(context: Context, moment: dt.datetime) -> Loaders:
    """Makes the loaders of one operation, with that time as now."""
    reading = ReadSession(
        context.services.database, context.require_active_viewer(), context.services.qualifications, now=moment
    )
    return Loaders(reading)


@dataclass(frozen=True)
class Outcome:
    """All that a client gets, in a form that distinguishes orders of keys and of errors, and the statements run."""

    data: str
    errors: list[tuple[Any, ...]]
    statements: int

    @property
    def response(self) -> tuple[str, list[tuple[Any, ...]]]:
        return self.data, self.errors


class Comparison:
    """The served schema with both executors, over one database that does not change."""

    def __init__(
        self, database: Database, folder: Path, scenario: AuthorizationScenario, rows: Rows, moment: dt.datetime
    ) -> None:
        self.scenario, self.rows, self.moment = scenario, rows, moment
        self.services: Services = services(database, folder)
        self.generic, self.compiled = make_schema("generic"), make_schema("compiled")
        self.graph = self.generic._schema
        self.ids = every_id(rows)

    @property
    def counters(self) -> Counters:
        """How often the compiled executor has taken each path."""
        return self.compiled.execution_context_class.counters()

    def viewer(self, role: Role) -> Viewer:
        user, _, learner = self.scenario.people[PEOPLE[role]]
        return viewer(user, role, learner)

    async def execute(self, schema: strawberry.Schema, role: Role, document: DocumentNode, variables: Any) -> Outcome:
        """Executes one operation as Strawberry does, with empty caches."""
        own = replace(self.services, qualifications=QualificationCache(self.services.database))
        context = FixedTimeContext(own, self.viewer(role))
        context.moment = self.moment
        context.restart()
        statement_count.set(count := [0])
        result = execute(
            schema._schema, document, variable_values=variables, context_value=context,
            is_awaitable=optimized_is_awaitable, executor_class=schema.execution_context_class,
        )  # fmt: skip
        if optimized_is_awaitable(result):
            result = await result
        errors = [
            (error.message, error.path, [(at.line, at.column) for at in error.locations or ()], error.extensions)
            for error in result.errors or ()
        ]
        return Outcome(json.dumps(result.data), errors, count[0])

    def values(self, role: Role) -> Any:
        """Returns a source of argument values: mostly ids of records that the role sees, of the right type."""
        user, _, _ = self.scenario.people[PEOPLE[role]]
        seen = {name: sorted(ids) for name, ids in Visibility(self.rows, user.id, role).ids.items() if ids}

        def one(rng: Random, wanted: str | None) -> str:
            place = rng.random()
            if place < 0.1:
                return rng.choice(["", "7", "Learner_0", "Nothing_1", "é"])
            if place < 0.25:
                return rng.choice([id for id in self.ids if wanted is None or id.startswith(f"{wanted}_")])
            return rng.choice(seen.get(wanted or rng.choice(sorted(seen)), self.ids))

        def value(rng: Random, coordinate: str, type_: GraphQLInputType) -> Any:
            *_, owner, argument = coordinate.split(".")
            if argument == "ids":
                return [one(rng, None) for _ in range(rng.randrange(6))]
            if get_named_type(type_).name == "ID":
                return one(rng, _ID_TYPES.get(owner if argument == "id" else argument))
            if argument in ("first", "last"):
                return rng.choice([*[1, 2, 3, 5, 20, 100] * 5, 0])
            if argument in ("after", "before", "search"):
                return rng.choice([None] * 9 + ["", "a", "no cursor"])
            if argument == "mutations":
                return rng.choice([None] * 9 + [["evidenceSubmit"]])
            if argument == "slug":
                return rng.choice(["dashboard", "none"])
            return GENERATED

        return value
