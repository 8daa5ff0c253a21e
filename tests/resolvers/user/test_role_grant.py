"""Roles are granted and revoked with their sessions and allocations; one Master Admin always remains."""

import asyncio

import pytest

from auth.viewer import NotSignedIn, read_viewer
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain import clock
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import login as sign_in
from resolvers.core.context import Context
from resolvers.user import role_grant
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


def user_id(scenario: EmptyPortfolio, who: str) -> str:
    return ids.encode("User", scenario.user(who).id)


async def held(scenario: EmptyPortfolio, who: str) -> set[Role]:
    return {grant.role for grant in await scenario.rows(RoleGrant, RoleGrant.user_id == scenario.user(who).id)}


@pytest.mark.parametrize("mutation", ["roleGrant", "roleRevoke"])
async def test_an_assessor_and_a_basic_admin_grant_and_revoke_managers_only(
    scenario: EmptyPortfolio, mutation: str
) -> None:
    before = await scenario.row_counts()
    for who in ("assessor", "basic"):
        for role in Role:
            asked = {"userId": user_id(scenario, "iqa"), "role": role.value}
            if role is not Role.EMPLOYER_MANAGER:
                assert (await scenario.client(who).user_errors(mutation, **asked))["role"] == "NOT_ALLOWED"
    assert await scenario.row_counts() == before
    for who in ("learner", "iqa", "manager", "overview"):
        asked = {"userId": user_id(scenario, "iqa"), "role": "EMPLOYER_MANAGER"}
        assert await scenario.client(who).user_errors(mutation, **asked) == {None: "NOT_ALLOWED"}


async def test_a_role_is_granted_once(scenario: EmptyPortfolio) -> None:
    for _ in range(2):
        await scenario.client("assessor").mutate(
            "roleGrant", userId=user_id(scenario, "learner"), role="EMPLOYER_MANAGER"
        )
    assert await held(scenario, "learner") == {Role.LEARNER, Role.EMPLOYER_MANAGER}
    assert await scenario.audit_trail() == ["roleGrant"]
    doing = [
        role_grant.grant(scenario.context("master"), user_id=user_id(scenario, "iqa"), role=Role.ASSESSOR)
        for _ in range(10)
    ]
    await asyncio.gather(*doing)
    assert await scenario.audit_trail() == ["roleGrant", "roleGrant"]


async def test_users_outside_the_scope_are_not_found(scenario: EmptyPortfolio) -> None:
    for who, whom in (("assessor", "cy"), ("master", "foreign_assessor")):
        asked = {"role": "EMPLOYER_MANAGER"}
        unseen = await scenario.client(who).payload("roleGrant", userId=user_id(scenario, whom), **asked)
        assert unseen == await scenario.client(who).payload("roleGrant", userId="User_999999", **asked)
        assert unseen["errors"][0]["code"] == "NOT_FOUND" and unseen["errors"][0]["field"] == ["userId"]


async def test_the_learner_role_requires_a_learner_record(scenario: EmptyPortfolio) -> None:
    asked = {"role": "LEARNER"}
    assert await scenario.client("master").user_errors("roleGrant", userId=user_id(scenario, "iqa"), **asked) == {
        "role": "INVALID"
    }
    await scenario.client("master").mutate("roleRevoke", userId=user_id(scenario, "learner"), **asked)
    assert await held(scenario, "learner") == set()
    await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, "learner"), **asked)
    assert await held(scenario, "learner") == {Role.LEARNER}


async def test_an_archived_account_cannot_get_a_role(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("userArchive", id=user_id(scenario, "overview"))
    asked = {"userId": user_id(scenario, "overview"), "role": "ASSESSOR"}
    assert await scenario.client("master").user_errors("roleGrant", **asked) == {"userId": "CONFLICT"}


async def test_revoking_a_role_ends_its_sessions_and_allocations(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, "manager"), role="EMPLOYER_OVERVIEW")
    garage = ids.encode("Employer", (await scenario.rows(OverviewAllocation))[0].employer_id)
    await scenario.client("master").mutate(
        "employerOverviewAllocate", userId=user_id(scenario, "manager"), employerIds=[garage]
    )
    signed_in = {}
    for role in (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW):
        signed_in[role] = Context(scenario.services)
        await sign_in.login(signed_in[role], username=scenario.user("manager").username, password=PASSWORD, role=role)
    await scenario.client("assessor").mutate("roleRevoke", userId=user_id(scenario, "manager"), role="EMPLOYER_MANAGER")
    assert await held(scenario, "manager") == {Role.EMPLOYER_OVERVIEW}
    mine = scenario.user("manager").id
    assert await scenario.rows(ManagerAllocation, ManagerAllocation.user_id == mine) == []
    assert len(await scenario.rows(OverviewAllocation, OverviewAllocation.user_id == mine)) == 1
    with pytest.raises(NotSignedIn):
        await read_viewer(scenario.database, signed_in[Role.EMPLOYER_MANAGER].claims)
    assert (
        await read_viewer(scenario.database, signed_in[Role.EMPLOYER_OVERVIEW].claims)
    ).role is Role.EMPLOYER_OVERVIEW
    # Granting the role again does not revive the old tokens.
    await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, "manager"), role="EMPLOYER_MANAGER")
    with pytest.raises(NotSignedIn):
        await read_viewer(scenario.database, signed_in[Role.EMPLOYER_MANAGER].claims)
    # Revoking a role that the user does not have changes nothing.
    lines = len(await scenario.audit_trail())
    await scenario.client("master").mutate("roleRevoke", userId=user_id(scenario, "manager"), role="IQA")
    assert len(await scenario.audit_trail()) == lines


async def test_an_assessor_ends_only_the_allocations_of_their_own_learners(scenario: EmptyPortfolio) -> None:
    manager = user_id(scenario, "manager")
    await scenario.client("master").mutate("employerManagerAllocate", userId=manager, learnerIds=[scenario.cy])
    context = Context(scenario.services)
    await sign_in.login(context, username=scenario.user("manager").username, password=PASSWORD)
    asked = {"userId": manager, "role": "EMPLOYER_MANAGER"}

    async def managed() -> set[str]:
        mine = ManagerAllocation.user_id == scenario.user("manager").id
        return {ids.encode("Learner", row.learner_id) for row in await scenario.rows(ManagerAllocation, mine)}

    assert await managed() == {scenario.ada, scenario.cy}
    revoked = await scenario.client("assessor").payload("roleRevoke", **asked)
    assert revoked["errors"] == []
    # Cy is another assessor's learner: the manager stays theirs, with the role and the session.
    assert await managed() == {scenario.cy}
    assert await held(scenario, "manager") == {Role.EMPLOYER_MANAGER}
    assert (await read_viewer(scenario.database, context.claims)).role is Role.EMPLOYER_MANAGER
    # From now on this assessor does not see the manager; an admin does.
    assert await scenario.client("assessor").user_errors("roleRevoke", **asked) == {"userId": "NOT_FOUND"}
    assert (await scenario.client("basic").payload("roleRevoke", **asked))["errors"] == []
    assert (await managed(), await held(scenario, "manager")) == (set(), set())


async def test_a_basic_admin_ends_every_allocation(scenario: EmptyPortfolio) -> None:
    manager = user_id(scenario, "manager")
    await scenario.client("master").mutate("employerManagerAllocate", userId=manager, learnerIds=[scenario.cy])
    await scenario.client("basic").mutate("roleRevoke", userId=manager, role="EMPLOYER_MANAGER")
    mine = ManagerAllocation.user_id == scenario.user("manager").id
    assert (await scenario.rows(ManagerAllocation, mine), await held(scenario, "manager")) == ([], set())


async def test_a_master_admin_cannot_revoke_their_own_role(scenario: EmptyPortfolio) -> None:
    doing = role_grant.revoke(scenario.context("master"), user_id=user_id(scenario, "master"), role=Role.MASTER_ADMIN)
    assert await rejected(doing) == {"userId": UserErrorCode.CONFLICT}
    assert await held(scenario, "master") == {Role.MASTER_ADMIN}


async def test_one_master_admin_remains_when_two_revoke_each_other(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, "basic"), role="MASTER_ADMIN")
    scenario.people["max"] = (scenario.user("basic"), Role.MASTER_ADMIN, None)
    results = await asyncio.gather(
        role_grant.revoke(scenario.context("master"), user_id=user_id(scenario, "max"), role=Role.MASTER_ADMIN),
        role_grant.revoke(scenario.context("max"), user_id=user_id(scenario, "master"), role=Role.MASTER_ADMIN),
        return_exceptions=True,
    )
    assert sum(isinstance(result, DomainError) for result in results) == 1
    assert len(await scenario.rows(RoleGrant, RoleGrant.role == Role.MASTER_ADMIN)) == 1


async def test_an_archived_master_admin_does_not_count(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, "basic"), role="MASTER_ADMIN")
    scenario.people["max"] = (scenario.user("basic"), Role.MASTER_ADMIN, None)
    async with scenario.database.writing() as session:
        (await session.get_one(User, scenario.user("max").id)).archived_at = clock.now()
    asked = {"userId": user_id(scenario, "master"), "role": "MASTER_ADMIN"}
    assert await scenario.client("max").user_errors("roleRevoke", **asked) == {"userId": "CONFLICT"}
