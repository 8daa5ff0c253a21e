"""Every mutation in every role on three records: a visible one, an invisible one, and one of the other provider.

The expected result is from the table of docs/behaviours.md (`permissions.py`) and the oracle. A rejected mutation
changes nothing.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auth import policy
from domain import clock
from domain.enums import Role
from tests.authorization.mutation_caller import arguments, id_paths, mutations
from tests.authorization.permission_setup import CALLERS, INVISIBLE, Setup, build_with_uploads, open_setup
from tests.authorization.permissions import AUTHENTICATION, COLUMNS, OWN_ORDERS, ROW_OF, grantable, may
from tests.authorization.rows import digest, read_rows, replace_rows
from tests.support.databases import BACKENDS, Databases


@pytest.fixture(scope="module")
async def setup(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder = tmp_path_factory.mktemp("permissions")
    async with open_setup(databases, backend, build_with_uploads, folder) as opened:
        yield opened


def test_every_mutation_has_a_row_in_the_table() -> None:
    unknown = set(mutations()) - ROW_OF.keys() - AUTHENTICATION - OWN_ORDERS
    assert not unknown, f"add {unknown} to tests/authorization/permissions.py"


def test_the_policy_matches_the_table() -> None:
    for mutation in ROW_OF:
        assert {role for role in Role if policy.may(role, mutation)} == {
            role for role in COLUMNS if may(role, mutation)
        }
    authentication = (AUTHENTICATION | OWN_ORDERS) & policy.MUTATIONS.keys()
    assert policy.MUTATIONS.keys() == ROW_OF.keys() | authentication
    assert all(policy.may(role, mutation) for mutation in authentication for role in Role)
    assert not any(policy.may(role, "somethingNew") for role in Role)
    assert {role: policy.GRANTABLE.get(role, frozenset()) for role in Role} == {role: grantable(role) for role in Role}


MUTATIONS = [name for name in mutations() if name not in AUTHENTICATION | OWN_ORDERS]

# Of each mutation the first and the last of the roles that may, and one that may not. `scripts/test-long` gives every
# role its turn, on both databases: they differ only in the statements that find the records.
ON_EACH = pytest.mark.parametrize(
    ("backend", "every_role"),
    [("sqlite", False), *(pytest.param(backend, True, marks=pytest.mark.long) for backend in BACKENDS)],
    indirect=["backend"], scope="session", ids=["sqlite", *(f"{backend}-every" for backend in BACKENDS)],
)  # fmt: skip


def roles(mutation: str, every_role: bool) -> list[Role]:
    """Returns the roles to try: all, or those that stand for them."""
    allowed = [role for role in COLUMNS if may(role, mutation)]
    refused = [role for role in COLUMNS if role not in allowed]
    return list(COLUMNS) if every_role else list(dict.fromkeys([*allowed[:1], *allowed[-1:], *refused[:1]]))


@ON_EACH
@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_mutations_follow_the_permission_table(setup: Setup, mutation: str, every_role: bool) -> None:
    succeeded = set()
    for role in roles(mutation, every_role):
        visibility = setup.visibility(role)
        seen = set().union(*visibility.ids.values())
        for place in ("main", INVISIBLE[role], "zoes"):
            ids = setup.of(place, role)
            variables = arguments(mutation, ids, clock.today())
            about = _named_in(variables) - {ids["fileId"], ids["groupId"]}
            if place != "main" and (not about or about <= seen):
                continue  # This role sees all of these records.
            visible, cell = about <= seen, (role.value, place)
            if visible and may(role, mutation):
                codes = await setup.rollback_caller.codes(visibility.me, role, mutation, variables)
                assert not codes & {"NOT_FOUND", "NOT_ALLOWED"}, (cell, codes)
                succeeded |= {role} if not codes else set()
            else:
                codes = await setup.caller.codes(visibility.me, role, mutation, variables)
                # Without permission the code is one of two, the same for existing and unknown records.
                refused = {"NOT_FOUND"} if may(role, mutation) else {"NOT_FOUND", "NOT_ALLOWED"}
                expected = {"NOT_ALLOWED"} if visible else refused
                assert codes and codes <= expected, (cell, codes, expected)
    assert succeeded or not every_role, "no call succeeded: the arguments are wrong"
    assert await _unchanged(setup)


def _named_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_named_in(one) for name, one in value.items()))
    if isinstance(value, list):
        return set().union(*map(_named_in, value))
    known = isinstance(value, str) and value.partition("_")[2].replace(".", "").isdigit() and value[0].isupper()
    return {value} if known else set()


async def _unchanged(setup: Setup) -> bool:
    """Returns whether the rows are unchanged. Restores them for the next test."""
    database = setup.caller.crawler.database
    if setup.digest is not None and setup.digest == await digest(database):
        return True
    kept = await read_rows(database) == setup.rows
    if not kept:
        await replace_rows(database, setup.rows)
    setup.digest = await digest(database)
    return kept


@ON_EACH
@pytest.mark.parametrize("mutation", [name for name in MUTATIONS if id_paths(name)])
async def test_an_invisible_id_gets_the_response_of_an_unknown_id(
    setup: Setup, mutation: str, every_role: bool
) -> None:
    """Each id of the arguments in turn: of another provider, invisible, and unknown. The responses are equal."""
    for role in (role for role in roles(mutation, every_role) if may(role, mutation)):
        visibility = setup.visibility(role)
        seen, mine = set().union(*visibility.ids.values()), setup.of("main", role)
        for path in id_paths(mutation):
            for place in ("zoes", INVISIBLE[role]):
                theirs = setup.of(place, role)
                name = f"{mutation}.{path[-1]}" if f"{mutation}.{path[-1]}" in mine else path[-1]
                if path[-1] in FILES:
                    theirs[name] = setup.ids["zoo" if place == "zoes" else CALLERS[OTHER[role]], "file"]
                if theirs[name].replace("SessionGroup_", "Session_") in seen:
                    continue
                answers = [
                    await setup.caller.errors_as_json(
                        visibility.me,
                        role,
                        mutation,
                        arguments(mutation, mine | {name: id}, clock.today(), optional=True),
                    )
                    for id in (theirs[name], _unknown_id(theirs[name]))
                ]
                assert answers[0] == answers[1] != "[]", (role, path, answers)
    assert await _unchanged(setup)


FILES = {"fileId", "fileIds", "addFileIds", "photoFileId"}
# The role whose upload is used as the upload of another user.
OTHER = {role: Role.MASTER_ADMIN if role is not Role.MASTER_ADMIN else Role.BASIC_ADMIN for role in COLUMNS}


def _unknown_id(id: str) -> str:
    """Returns an id of the same type without a record."""
    name, _, key = id.partition("_")
    aim, dot, part = key.partition(".")
    return f"{name}_{aim}{dot}{int(part) + 700_000}" if dot else f"{name}_{int(key) + 700_000}"


@pytest.mark.parametrize("mutation", ["userInvite", "roleGrant", "roleRevoke"])
@pytest.mark.parametrize("role", [Role.ASSESSOR, Role.BASIC_ADMIN, Role.MASTER_ADMIN])
async def test_which_roles_a_role_may_grant(setup: Setup, mutation: str, role: Role) -> None:
    """EMPLOYER_MANAGER only; a Master Admin may grant all roles."""
    for given in Role:
        variables = arguments(mutation, setup.of("main", role), clock.today())
        variables.get("input", variables)["role"] = given.value
        codes = await setup.rollback_caller.codes(setup.user(role), role, mutation, variables)
        allowed = role is Role.MASTER_ADMIN or given is Role.EMPLOYER_MANAGER
        assert ("NOT_ALLOWED" in codes) != allowed, given
    assert await _unchanged(setup)
