"""Roles: who gives and takes which, what ends with one, and that somebody is always left to run the installation."""

import asyncio

import pytest

from auth.viewer import NotSignedIn, read_viewer
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain import clock
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers import authentication as sign_in
from resolvers import role_grant
from resolvers.core.context import Context
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import PASSWORD, Stage, refused


def user_id(stage: Stage, who: str) -> str:
    return ids.encode("User", stage.user(who).id)


async def held(stage: Stage, who: str) -> set[Role]:
    return {grant.role for grant in await stage.rows(RoleGrant, RoleGrant.user_id == stage.user(who).id)}


@pytest.mark.parametrize("mutation", ["roleGrant", "roleRevoke"])
async def test_an_assessor_and_a_basic_admin_give_and_take_managers_only(stage: Stage, mutation: str) -> None:
    before = await stage.state()
    for who in ("assessor", "basic"):
        for role in Role:
            asked = {"userId": user_id(stage, "iqa"), "role": role.value}
            if role is not Role.EMPLOYER_MANAGER:
                assert (await faults(stage, who, mutation, **asked))["role"] == "NOT_ALLOWED"
    assert await stage.state() == before
    for who in ("learner", "iqa", "manager", "overview"):
        asked = {"userId": user_id(stage, "iqa"), "role": "EMPLOYER_MANAGER"}
        assert await faults(stage, who, mutation, **asked) == {None: "NOT_ALLOWED"}


async def test_a_role_is_given_once(stage: Stage) -> None:
    for _ in range(2):
        await done(stage, "assessor", "roleGrant", userId=user_id(stage, "iqa"), role="EMPLOYER_MANAGER")
    assert await held(stage, "iqa") == {Role.IQA, Role.EMPLOYER_MANAGER}
    assert await stage.trail() == ["roleGrant"]
    doing = [role_grant.grant(stage.at("master"), user_id=user_id(stage, "iqa"), role=Role.ASSESSOR) for _ in range(10)]
    await asyncio.gather(*doing)
    assert await stage.trail() == ["roleGrant", "roleGrant"]


async def test_whom_the_viewer_does_not_see_is_not_there(stage: Stage) -> None:
    for who, whom in (("assessor", "cy"), ("master", "foreign_assessor")):
        asked = {"role": "EMPLOYER_MANAGER"}
        unseen = await ask(stage, who, "roleGrant", userId=user_id(stage, whom), **asked)
        assert unseen == await ask(stage, who, "roleGrant", userId="User_999999", **asked)
        assert unseen["errors"][0]["code"] == "NOT_FOUND" and unseen["errors"][0]["field"] == ["userId"]


async def test_a_learner_role_needs_a_learner(stage: Stage) -> None:
    asked = {"role": "LEARNER"}
    assert await faults(stage, "master", "roleGrant", userId=user_id(stage, "iqa"), **asked) == {"role": "INVALID"}
    await done(stage, "master", "roleRevoke", userId=user_id(stage, "learner"), **asked)
    assert await held(stage, "learner") == set()
    await done(stage, "master", "roleGrant", userId=user_id(stage, "learner"), **asked)
    assert await held(stage, "learner") == {Role.LEARNER}


async def test_an_archived_account_is_given_nothing(stage: Stage) -> None:
    await done(stage, "master", "userArchive", id=user_id(stage, "iqa"))
    asked = {"userId": user_id(stage, "iqa"), "role": "ASSESSOR"}
    assert await faults(stage, "master", "roleGrant", **asked) == {"userId": "CONFLICT"}


async def test_revoking_ends_the_sign_ins_in_that_role_and_what_it_reached(stage: Stage) -> None:
    await done(stage, "master", "roleGrant", userId=user_id(stage, "manager"), role="EMPLOYER_OVERVIEW")
    garage = ids.encode("Employer", (await stage.rows(OverviewAllocation))[0].employer_id)
    await done(stage, "master", "employerOverviewAllocate", userId=user_id(stage, "manager"), employerIds=[garage])
    signed_in = {}
    for role in (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW):
        signed_in[role] = Context(stage.services)
        await sign_in.login(signed_in[role], username=stage.user("manager").username, password=PASSWORD, role=role)
    await done(stage, "assessor", "roleRevoke", userId=user_id(stage, "manager"), role="EMPLOYER_MANAGER")
    assert await held(stage, "manager") == {Role.EMPLOYER_OVERVIEW}
    mine = stage.user("manager").id
    assert await stage.rows(ManagerAllocation, ManagerAllocation.user_id == mine) == []
    assert len(await stage.rows(OverviewAllocation, OverviewAllocation.user_id == mine)) == 1
    with pytest.raises(NotSignedIn):
        await read_viewer(stage.database, signed_in[Role.EMPLOYER_MANAGER].claims)
    assert (await read_viewer(stage.database, signed_in[Role.EMPLOYER_OVERVIEW].claims)).role is Role.EMPLOYER_OVERVIEW
    # Given back, the old tokens stay ended.
    await done(stage, "master", "roleGrant", userId=user_id(stage, "manager"), role="EMPLOYER_MANAGER")
    with pytest.raises(NotSignedIn):
        await read_viewer(stage.database, signed_in[Role.EMPLOYER_MANAGER].claims)
    # A role that is not held is not taken.
    lines = len(await stage.trail())
    await done(stage, "master", "roleRevoke", userId=user_id(stage, "manager"), role="IQA")
    assert len(await stage.trail()) == lines


async def test_a_master_admin_keeps_their_own_role(stage: Stage) -> None:
    doing = role_grant.revoke(stage.at("master"), user_id=user_id(stage, "master"), role=Role.MASTER_ADMIN)
    assert await refused(doing) == {"userId": UserErrorCode.CONFLICT}
    assert await held(stage, "master") == {Role.MASTER_ADMIN}


async def test_somebody_is_left_when_two_take_the_role_from_each_other(stage: Stage) -> None:
    await done(stage, "master", "roleGrant", userId=user_id(stage, "basic"), role="MASTER_ADMIN")
    stage.people["max"] = (stage.user("basic"), Role.MASTER_ADMIN, None)
    results = await asyncio.gather(
        role_grant.revoke(stage.at("master"), user_id=user_id(stage, "max"), role=Role.MASTER_ADMIN),
        role_grant.revoke(stage.at("max"), user_id=user_id(stage, "master"), role=Role.MASTER_ADMIN),
        return_exceptions=True,
    )
    assert sum(isinstance(result, DomainError) for result in results) == 1
    assert len(await stage.rows(RoleGrant, RoleGrant.role == Role.MASTER_ADMIN)) == 1


async def test_an_archived_master_admin_does_not_count(stage: Stage) -> None:
    await done(stage, "master", "roleGrant", userId=user_id(stage, "basic"), role="MASTER_ADMIN")
    stage.people["max"] = (stage.user("basic"), Role.MASTER_ADMIN, None)
    async with stage.database.writing() as session:
        (await session.get_one(User, stage.user("max").id)).archived_at = clock.now()
    asked = {"userId": user_id(stage, "master"), "role": "MASTER_ADMIN"}
    assert await faults(stage, "max", "roleRevoke", **asked) == {"userId": "CONFLICT"}
