"""The compiled executor against the generic one on the served schema, over a database with one of everything in it."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from graphql import DocumentNode, parse, validate

from domain import clock
from domain.enums import Role
from domain.global_id import encode, encode_pair
from queries.saved import saved_operations
from schema.executor import Counters
from tests.authorization.authorization_scenario import everything
from tests.authorization.rows import read_rows
from tests.schema.executor.random_operations import generate
from tests.schema.executor.served_schema import PEOPLE, Given, InRounds, Served
from tests.support.databases import Databases

# The generic executor itself drops coroutines where an error ends a list or an object early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

# How many operations are made up for each role; what differs between the databases lies below the executors.
GENERATED = {"sqlite": 20, "postgresql": 10}
# Here alone a field's objects take from one read to three, by their type. A plan waits for a field as a whole, so that
# what hangs on the quicker ones may be read a round later, and by itself.
UNEVEN = re.compile(r"\bsubject\b")
SAVED = {name: saved for name, saved in saved_operations().items() if saved.is_query}


@pytest.fixture(scope="module")
async def served(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The world, at a moment that does not pass: links and ages are then the same each time they are asked for."""
    database = InRounds(url := await databases.fresh(backend))
    made = await everything(database)
    moment = clock.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield Served(database, tmp_path_factory.mktemp("served"), made, await read_rows(database), moment)
    await database.close()
    await databases.drop(url)


async def both(served: Served, role: Role, document: DocumentNode, variables: dict[str, Any], text: str) -> Given:
    """What both executors give: the generic once, the compiled while it makes its plan and once more with it."""
    generic = await served.give(served.generic, role, document, variables)
    for _ in range(2):
        compiled = await served.give(served.compiled, role, document, variables)
        if compiled.told != generic.told and generic.errors:
            # Which of several errors comes first and takes the rest along is chance with the generic executor itself.
            again = [await served.give(served.generic, role, document, variables) for _ in range(20)]
            generic = next((given for given in again if given.told == compiled.told), generic)
        assert compiled.told == generic.told, f"{role} {variables}\n{text}"
        # After an error the generic executor starts from the beginning.
        if not generic.errors and not UNEVEN.search(text):
            assert compiled.statements <= generic.statements, f"{role} {variables}\n{text}"
    return generic


def variables_of(served: Served) -> dict[str, dict[str, Any]]:
    """What saved queries are asked with, by their names: Ada's records, whom every one of the people sees."""
    it = served.made.it
    learner = {"learnerId": encode("Learner", it.ada.id)}
    return {
        "document_to_sign": {"id": encode("SignatureRequest", it.of["ada.request"].id)},
        "employer_learner": learner,
        "learning_plan": learner,
        "progress_map": learner,
        "time_log": learner,
        "unit_record_sheet": {"unitId": encode_pair("Unit", it.aims["main"].id, it.of["main.unit"])},
    }


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_saved_query_is_the_same_from_its_plan(served: Served, role: Role) -> None:
    before, variables = replace(served.counters), variables_of(served)
    for name, saved in SAVED.items():
        given = await both(served, role, saved.document, variables.get(name, {}), saved.text)
        assert given.errors == [] and None not in json.loads(given.data).values(), name
    assert taken(served, before) == {"fast": 2 * len(SAVED), "deopt": 0, "unsupported": 0, "rested": 0}


@pytest.mark.parametrize("role", PEOPLE)
async def test_generated_operations_are_the_same(served: Served, backend: str, role: Role) -> None:
    rng, values, number = Random(f"{backend} {role}"), served.values(role), GENERATED[backend]
    before, failing, characters = replace(served.counters), 0, 0
    for _ in range(number):
        operation = generate(served.graph, rng, values)
        document = parse(operation.text)
        assert not validate(served.graph, document), operation.text
        given = await both(served, role, document, operation.variables, operation.text)
        failing += bool(given.errors)
        characters += len(given.data)
    # Most have something to tell (an IQA sees one aim), and only an argument that is refused ends a plan.
    assert failing < number / 2 and characters > 100 * number
    assert taken(served, before) == {
        "fast": 2 * (number - failing), "deopt": 2 * failing, "unsupported": 0, "rested": 0,
    }  # fmt: skip


def taken(served: Served, before: Counters) -> dict[str, int]:
    """How often each path was taken since then."""
    names = ("fast", "deopt", "unsupported", "rested")
    return {name: getattr(served.counters, name) - getattr(before, name) for name in names}
