"""The compiled executor returns what the generic one returns on the served schema, over records of every kind."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import DocumentNode, parse, validate

from auth.identity import state
from domain import clock
from domain.enums import Role
from domain.global_id import encode, encode_pair
from queries.operations import saved_operations
from schema.executor import Counters
from tests.authorization.rows import read_rows
from tests.schema.executor.random_operations import generate
from tests.schema.executor_comparison import PEOPLE, Comparison, Outcome, RoundDatabase
from tests.support.databases import Databases
from tests.support.scenarios.authorization import build_authorization

# The generic executor itself drops coroutines where an error ends a list or an object early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

# How many operations are generated for each role. The databases differ only below the executors.
GENERATED = {"sqlite": 20, "postgresql": 10}
# The objects of these fields take no read to three reads: by their type, or because the learner of an action is loaded
# already. Compiled code waits for all objects of a field, so the fields below the quicker ones may be read later, in a
# statement of their own.
UNEVEN = re.compile(r"\bsubject\b|\baction\b")
SAVED = {name: saved for name, saved in saved_operations().items() if saved.is_query}


@pytest.fixture(scope="module")
async def served(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Comparison]:
    """Records of every kind, a clock that stands still and states that are not random: links and ages stay the same."""
    url, scenario = await databases.fresh_with_value(backend, build_authorization)
    database = RoundDatabase(url)
    moment = clock.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        patch.setattr(state, "secrets", SimpleNamespace(token_urlsafe=lambda size: "A" * size))
        yield Comparison(database, tmp_path_factory.mktemp("served"), scenario, await read_rows(database), moment)
    await database.close()
    await databases.release(url)


async def both(served: Comparison, role: Role, document: DocumentNode, variables: dict[str, Any], text: str) -> Outcome:
    """Asserts that both executors return the same. The compiled one runs twice: compiling, and from its cache."""
    generic = await served.execute(served.generic, role, document, variables)
    for _ in range(2):
        compiled = await served.execute(served.compiled, role, document, variables)
        if compiled.response != generic.response and generic.errors:
            # Which of several errors comes first, and ends the operation, is chance with the generic executor.
            again = [await served.execute(served.generic, role, document, variables) for _ in range(20)]
            generic = next((outcome for outcome in again if outcome.response == compiled.response), generic)
        assert compiled.response == generic.response, f"{role} {variables}\n{text}"
        # After an error the compiled executor runs the operation again.
        if not generic.errors and not UNEVEN.search(text):
            assert compiled.statements <= generic.statements, f"{role} {variables}\n{text}"
    return generic


def variables_of(served: Comparison) -> dict[str, dict[str, Any]]:
    """Returns the variables of the saved queries, by name: records of Ada, whom each of the users sees."""
    it = served.scenario
    learner = {"learnerId": encode("Learner", it.ada.id)}
    unit = {"unitId": encode_pair("Unit", it.aims["main"].id, it.records["main.unit"])}
    year = {"since": "2026-01-01", "until": "2026-03-31"}
    return {
        "assessor_workload": year,
        "document_to_sign": {"id": encode("SignatureRequest", it.records["ada.request"].id)},
        "employer_learner": learner,
        "employer_portfolio": learner,
        "employer_visits": {"startsFrom": "2026-01-01T09:00:00Z"},
        "evidence_to_read": {"evidenceId": encode("Evidence", it.records["main.evidence"].id)},
        "kpi_history": year,
        "outcomes": {"endedFrom": "2000-01-01", "endedTo": "2036-01-01"},
        "learning_plan": learner,
        "progress_map": learner,
        "record_ids": {"ids": [learner["learnerId"]]},
        "review_to_read": {"reviewId": encode("Review", it.records["main.review"].id)},
        "time_log": learner,
        "turnaround": year,
        "unit_record_sheet": unit,
        "unit_to_sign": unit,
    }


# Of those at an employer and of those at the provider one: the executors are the same for all.
each_role = pytest.mark.parametrize(
    "role",
    [
        pytest.param(role, marks=() if role in (Role.ASSESSOR, Role.EMPLOYER_OVERVIEW) else pytest.mark.long)
        for role in PEOPLE
    ],
)


@each_role
async def test_saved_queries_return_the_same(served: Comparison, role: Role) -> None:
    before, variables = replace(served.counters), variables_of(served)
    for name, saved in SAVED.items():
        outcome = await both(served, role, saved.document, variables.get(name, {}), saved.text)
        assert outcome.errors == [] and None not in json.loads(outcome.data).values(), name
    assert taken(served, before) == {"executed": 2 * len(SAVED), "deoptimized": 0, "unsupported": 0, "suspended": 0}


@each_role
async def test_generated_operations_return_the_same(served: Comparison, backend: str, role: Role) -> None:
    rng, values, number = Random(f"{backend} {role}"), served.values(role), GENERATED[backend]
    before, failing, characters = replace(served.counters), 0, 0
    for _ in range(number):
        operation = generate(served.graph, rng, values)
        document = parse(operation.text)
        assert not validate(served.graph, document), operation.text
        outcome = await both(served, role, document, operation.variables, operation.text)
        failing += bool(outcome.errors)
        characters += len(outcome.data)
    # At least half return records (an IQA sees one aim), and only an invalid argument makes compiled code fail.
    assert failing <= number / 2 and characters > 100 * number
    assert taken(served, before) == {
        "executed": 2 * (number - failing), "deoptimized": 2 * failing, "unsupported": 0, "suspended": 0,
    }  # fmt: skip


def taken(served: Comparison, before: Counters) -> dict[str, int]:
    """Returns how often each path was taken since then."""
    names = ("executed", "deoptimized", "unsupported", "suspended")
    return {name: getattr(served.counters, name) - getattr(before, name) for name in names}
