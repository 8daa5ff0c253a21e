"""`viewerActions` against the mutations themselves: every mutation in every role on records in every state.

A record's action is allowed exactly where the mutation, tried, gives no NOT_ALLOWED and no error about the record;
where it is not, its reasons are the errors that the mutation gives. Of the records that differ in nothing that a rule
knows, two are tried. Every message is in the language of the request, a pseudo-language.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from auth import policy
from domain import clock
from domain.enums import Role, SessionStatus
from resolvers.core.context import Client
from resolvers.core.rules import rules_by_type
from tests.authorization.mutation_caller import arguments, id_paths
from tests.authorization.permission_setup import Setup, open_setup
from tests.authorization.permissions import AUTHENTICATION, COLUMNS, OWN_ORDERS
from tests.authorization.rows import TABLE_OF
from tests.authorization.schema_crawler import graph, schema
from tests.authorization.viewer_action_states import build_states
from tests.support.databases import Databases
from tests.support.pseudo_language import PSEUDO, is_translated

# What a rule may know of a record, by column; further columns only cost more calls.
STATE = ("status", "automatic", "accepts_evidence")
SET_OR_NOT = ("approved_at", "archived_at", "erased_at", "returned_on", "last_login_at", "assessor_id")
# The argument that names the record, where its name does not say so.
NAMED_BY = {
    "assessorHandOver": "fromUserId", "guestSignatureInvite": "requestId", "samplingPlanMake": "assessorId",
}  # fmt: skip
_ACTION = "mutation allowed reasons { code field message }"


Setups = Callable[[str], Awaitable[Setup]]


@pytest.fixture(scope="module")
async def setups(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setups]:
    """Returns the setup on a database, which is built when it is first needed."""
    opened: dict[str, Setup] = {}
    async with AsyncExitStack() as stack:

        async def on(backend: str) -> Setup:
            if backend not in opened:
                folder = tmp_path_factory.mktemp("actions")
                setup = await stack.enter_async_context(open_setup(databases, backend, build_states, folder))
                for caller in (setup.caller, setup.rollback_caller):
                    caller.crawler.client = Client(language=PSEUDO)
                opened[backend] = setup
            return opened[backend]

        yield on


def test_every_mutation_is_an_action_of_something() -> None:
    taken = {mutation for rules in rules_by_type().values() for mutation in rules.mutations}
    assert taken == policy.MUTATIONS.keys()
    fields = {name for name, type_ in graph().type_map.items() if "viewerActions" in getattr(type_, "fields", {})}
    assert fields == rules_by_type().keys()


SHORT = (Role.ASSESSOR,)
# PostgreSQL differs in the statements that read facts: a Master Admin needs nearly all of them, an assessor the others.
ROLES = [
    *(pytest.param("sqlite", role, marks=() if role in SHORT else pytest.mark.long) for role in COLUMNS),
    *(pytest.param("postgresql", role, marks=pytest.mark.long) for role in (Role.ASSESSOR, Role.MASTER_ADMIN)),
]  # fmt: skip


@pytest.mark.parametrize(("on", "role"), ROLES)
async def test_actions_are_allowed_where_the_mutation_is(setups: Setups, on: str, role: Role) -> None:
    setup = await setups(on)
    visibility, tried, wrong = setup.visibility(role), 0, []
    for type_name, ids in visibility.ids.items():
        if type_name not in rules_by_type():
            continue
        kinds: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for id, actions in (await actions_on(setup, role, type_name, sorted(ids))).items():
            for action in actions:
                kinds[json.dumps([action, state(setup, id)], default=str)].append((id, action))
        for examples in kinds.values():
            for id, action in examples[:2]:
                wrong += await differences(setup, role, type_name, id, action)
                tried += 1
    assert not wrong, "\n".join(map(str, wrong))
    assert tried > 50


@pytest.mark.parametrize("role", COLUMNS)
async def test_what_takes_no_record_is_allowed_where_the_mutation_is(setups: Setups, role: Role) -> None:
    setup = await setups("sqlite")
    document = f"{{ viewer {{ viewerActions {{ {_ACTION} }} }} }}"
    answer = await setup.caller.crawler.ask(setup.user(role), role, document)
    for action in answer["viewer"]["viewerActions"]:
        mutation = action["mutation"]
        if mutation not in AUTHENTICATION | OWN_ORDERS:
            variables = arguments(mutation, setup.of("main", role), clock.today())
            errors = await setup.rollback_caller.errors(setup.user(role), role, mutation, variables)
            about = [error for error in errors if error["field"] is None or error["code"] == "NOT_ALLOWED"]
            assert about == action["reasons"], (role, mutation, errors)


async def test_the_first_steps_come_before_everything_else(setups: Setups) -> None:
    crawler = (await setups("sqlite")).caller.crawler
    context = crawler.context((await setups("sqlite")).user(Role.MASTER_ADMIN), Role.MASTER_ADMIN)
    context.viewer = replace(context.viewer, must_change_password=True)
    document = "{ viewer { viewerActions { mutation allowed reasons { code reason } } } }"
    answer = await schema().execute(document, context_value=context)
    assert answer.errors is None
    for action in answer.data["viewer"]["viewerActions"]:
        first = [{"code": "NOT_ALLOWED", "reason": "PASSWORD_CHANGE_REQUIRED"}]
        assert (action["reasons"] == first) == (action["mutation"] not in AUTHENTICATION), action
    [change] = [each for each in answer.data["viewer"]["viewerActions"] if each["mutation"] == "passwordChange"]
    assert change["allowed"]


async def test_a_mutation_that_takes_no_such_record_is_refused_by_name(setups: Setups) -> None:
    setup = await setups("sqlite")
    context = setup.caller.crawler.context(setup.user(Role.ASSESSOR), Role.ASSESSOR)
    document = '{ evidenceLibrary { nodes { viewerActions(mutations: ["sessionBook"]) { allowed } } } }'
    answer = await schema().execute(document, context_value=context)
    [error] = {error.message for error in answer.errors}
    assert error.startswith("mutations: Name mutations of evidenceAssess, ") and "sessionBook" not in error


@pytest.mark.parametrize("type_name", sorted(rules_by_type().keys() - {"Viewer"}))
async def test_many_records_need_the_statements_of_one(setups: Setups, type_name: str) -> None:
    setup = await setups("sqlite")
    for role in (Role.ASSESSOR, Role.MASTER_ADMIN):
        ids = sorted(setup.visibility(role).ids[type_name])
        counts = []
        for some in (ids[:1], ids[:100]):
            read: list[Any] = []
            database = setup.caller.crawler.database
            database.read_listeners.append(lambda *about, read=read: read.append(about))
            await actions_on(setup, role, type_name, some)
            database.read_listeners.pop()
            counts.append(len(read))
        assert counts[0] == counts[1] > 0, role


async def actions_on(setup: Setup, role: Role, type_name: str, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    found = {}
    document = (
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {type_name} {{ id viewerActions {{ {_ACTION} }} }} }} }}"
    )
    for start in range(0, len(ids), 100):
        crawler = setup.caller.crawler
        answer = await crawler.ask(setup.user(role), role, document, ids=ids[start : start + 100])
        found |= {node["id"]: node["viewerActions"] for node in answer["nodes"]}
    return found


async def differences(setup: Setup, role: Role, type_name: str, id: str, action: dict[str, Any]) -> list[Any]:
    """Tries the mutation. Returns what differs from the action: the errors about the record, and all of them."""
    mutation = action["mutation"]
    # The action is an optional argument of `evidenceSubmit`.
    optional = type_name == "Action"
    variables = arguments(mutation, values(setup, role, type_name, mutation, id), clock.today(), optional)
    row = row_of(setup, id)
    if mutation == "sessionComplete":
        # Recording the same outcome again changes nothing, and is no error.
        variables["input"]["attended"] = row["status"] is not SessionStatus.ATTENDED
    elif mutation == "sessionUpdate" and row["status"] is not SessionStatus.PLANNED:
        variables["input"] = {"feedback": row["feedback"]}
    elif mutation == "breakEnd":
        variables["returnedOn"] = clock.today().isoformat()
    errors = await setup.rollback_caller.errors(setup.user(role), role, mutation, variables)
    about = [error for error in errors if is_about_record(error, path_of(type_name, mutation))]
    assert action["allowed"] == (not action["reasons"])
    assert all(is_translated(error["message"]) for error in errors), errors
    if errors and errors[0]["field"] == ["input", "aimId"] and type_name == "Action":
        return []
    return [] if about == action["reasons"] else [(id, action, state(setup, id), errors)]


def is_about_record(error: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Whether an error is about the record or the viewer, not about what else the call gives."""
    # Without the place in a list.
    field = error["field"] and [part for part in error["field"] if not part.isdigit()]
    if field is None or field[: len(path)] == list(path):
        return True
    return error["code"] == "NOT_ALLOWED" or field[-1] == "attended"


def path_of(type_name: str, mutation: str) -> tuple[str, ...]:
    """Returns the path of the argument that names a record of the type."""
    name = type_name[0].lower() + type_name[1:]
    paths = id_paths(mutation)
    for wanted in (NAMED_BY.get(mutation), f"{name}Id", f"{name}Ids", "id", "ids"):
        for path in paths:
            if path[-1] == wanted:
                return path
    raise AssertionError(f"{mutation} names no {type_name}")


def values(setup: Setup, role: Role, type_name: str, mutation: str, id: str) -> dict[str, str]:
    """Returns the ids of a call on the record: what else it needs belongs to the same learner and aim."""
    ids, row = setup.of("main", role), row_of(setup, id)
    ids |= {f"{mutation}.{path_of(type_name, mutation)[-1]}": id}
    if mutation.startswith("timeLogEntry") and type_name == "TimeLogEntry":
        ids["learnerId"] = f"Learner_{row['learner_id']}"
    if type_name == "Action":
        visible = setup.visibility(role).aims
        of_learner = [aim["id"] for aim in setup.rows["aim"] if aim["learner_id"] == row["learner_id"]]
        aim = row["aim_id"] or next((key for key in of_learner if key in visible), None)
        # Evidence is only submitted for an action where an aim of the learner is visible.
        ids["evidenceSubmit.aimId"] = f"Aim_{aim or 0}"
    if mutation == "learnerErase":
        user = next(each for each in setup.rows["user_account"] if each["id"] == row["user_id"])
        ids["learnerErase.confirmName"] = user["name"]
    if mutation == "roleGrant":
        ids["roleGrant.role"] = "EMPLOYER_MANAGER"
    return ids


def row_of(setup: Setup, id: str) -> dict[str, Any]:
    type_name, _, key = id.partition("_")
    table = "aim" if type_name == "Unit" else TABLE_OF[type_name]
    return next(row for row in setup.rows[table] if row["id"] == int(key.partition(".")[0]))


def state(setup: Setup, id: str) -> list[Any]:
    row = row_of(setup, id)
    return [row.get(name) for name in STATE] + [row.get(name) is not None for name in SET_OR_NOT]
