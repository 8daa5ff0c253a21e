"""One person is one person: nobody grants, allocates or signs for themself, and staff hold no employer role."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from db.models.aim import Aim
from db.models.evidence import EvidenceSignature
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.unit_signature import UnitSignature
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain import clock
from domain import global_id as ids
from domain.enums import EvidenceStatus, Role, UserErrorCode
from resolvers import signature_request, unit
from resolvers.evidence import submission
from resolvers.user import role_grant
from services.audit.separation_check import separation_notices
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD, id_of, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

STAFF = (Role.ASSESSOR, Role.IQA, Role.BASIC_ADMIN, Role.MASTER_ADMIN)
EMPLOYER = (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)


def user_id(scenario: EmptyPortfolio, who: str) -> str:
    return ids.encode("User", scenario.user(who).id)


async def give(scenario: EmptyPortfolio, who: str, *roles: Role) -> None:
    """Grants roles as an installation of 0.1.0 may hold them, and lets tests act as `who.ROLE`."""
    user, _, learner = scenario.people[who]
    await scenario.add(*(RoleGrant(provider_id=user.provider_id, user_id=user.id, role=role, granted_at=clock.now())
                         for role in roles))  # fmt: skip
    for role in roles:
        scenario.people[f"{who}.{role.value}"] = (user, role, learner)


async def held(scenario: EmptyPortfolio, who: str) -> set[Role]:
    return {grant.role for grant in await scenario.rows(RoleGrant, RoleGrant.user_id == scenario.user(who).id)}


async def both_hats(scenario: EmptyPortfolio) -> None:
    """The assessor of Ada's aim is also its IQA, which 0.1.0 refused, and which a row can still say."""
    await give(scenario, "assessor", Role.IQA)
    async with scenario.database.writing() as session:
        aim = ids.decode("Aim", scenario.aim)
        await session.execute(update(Aim).where(Aim.id == aim).values(iqa_id=scenario.user("assessor").id))


@pytest.mark.parametrize("role", list(Role))
async def test_nobody_grants_a_role_to_themself(scenario: EmptyPortfolio, role: Role) -> None:
    before = await held(scenario, "master")
    refusal = await scenario.client("master").user_errors(
        "roleGrant", userId=user_id(scenario, "master"), role=role.value
    )
    assert refusal == {None: "NOT_ALLOWED"}
    assert await held(scenario, "master") == before
    assert await scenario.audit_trail() == []


@pytest.mark.parametrize(
    ("who", "roles"),
    [("iqa", EMPLOYER), ("assessor", EMPLOYER), ("basic", EMPLOYER), ("manager", STAFF), ("overview", STAFF)],
)
async def test_staff_hold_no_employer_role_and_vice_versa(
    scenario: EmptyPortfolio, who: str, roles: tuple[Role, ...]
) -> None:
    before = await held(scenario, who)
    for role in roles:
        refusal = await scenario.client("master").user_errors(
            "roleGrant", userId=user_id(scenario, who), role=role.value
        )
        assert refusal == {"role": "CONFLICT"}
    assert await held(scenario, who) == before
    # A learner may lead others, or work for the provider, but not both.
    for role in (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW):
        await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, "cy"), role=role.value)


async def test_an_invitation_of_an_existing_address_gives_no_excluded_role(scenario: EmptyPortfolio) -> None:
    input = {"name": "Nia", "email": "nia@example.org", "role": "ASSESSOR"}
    await scenario.client("master").mutate("userInvite", input=input)
    for role in ("EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW"):
        refusal = await scenario.client("master").user_errors("userInvite", input={**input, "role": role})
        assert refusal == {"input.role": "CONFLICT"}
    (nia,) = await scenario.rows(User, User.username == "nia@example.org")
    assert [grant.role for grant in await scenario.rows(RoleGrant, RoleGrant.user_id == nia.id)] == [Role.ASSESSOR]


async def test_of_two_roles_granted_at_once_one_excludes_the_other(scenario: EmptyPortfolio) -> None:
    await scenario.client("master").mutate("roleRevoke", userId=user_id(scenario, "manager"), role="EMPLOYER_MANAGER")
    granting = [
        role_grant.grant(scenario.context("master"), user_id=user_id(scenario, "manager"), role=role)
        for role in (Role.ASSESSOR, Role.EMPLOYER_MANAGER) * 5
    ]
    await asyncio.gather(*granting, return_exceptions=True)
    assert len(await held(scenario, "manager")) == 1


async def test_nobody_allocates_themself_or_becomes_their_own_manager(scenario: EmptyPortfolio) -> None:
    garage = ids.encode("Employer", (await scenario.rows(OverviewAllocation))[0].employer_id)
    await give(scenario, "master", *EMPLOYER)
    await give(scenario, "learner", *EMPLOYER, Role.ASSESSOR)
    await give(scenario, "cy", *EMPLOYER)
    managers, overviews = await scenario.rows(ManagerAllocation), await scenario.rows(OverviewAllocation)
    master = scenario.client("master")
    mine = {"userId": user_id(scenario, "master")}
    refused = {"userId": "NOT_ALLOWED"}
    assert await master.user_errors("employerManagerAllocate", **mine, learnerIds=[scenario.cy]) == refused
    assert await master.user_errors("employerOverviewAllocate", **mine, employerIds=[garage]) == refused
    # Staff get no allocation in an employer role that an earlier release granted.
    staff = {"userId": user_id(scenario, "learner")}
    assert (await master.user_errors("employerManagerAllocate", **staff, learnerIds=[scenario.cy])) == {
        "userId": "CONFLICT"
    }
    own = {"userId": user_id(scenario, "cy")}
    assert await master.user_errors("employerManagerAllocate", **own, learnerIds=[scenario.ada, scenario.cy]) == {
        "learnerIds": "CONFLICT"
    }
    cy = scenario.people["cy"][2]
    async with scenario.database.writing() as session:
        (await session.get_one(type(cy), cy.id)).employer_id = ids.decode("Employer", garage)
    assert await master.user_errors("employerOverviewAllocate", **own, employerIds=[garage]) == {
        "employerIds": "CONFLICT"
    }
    assert len(await scenario.rows(ManagerAllocation)) == len(managers)
    assert len(await scenario.rows(OverviewAllocation)) == len(overviews)
    # Moving a learner to a site that they oversee comes to the same.
    await master.mutate("learnerUpdate", id=scenario.cy, input={"employerId": await head(scenario)})
    await master.mutate("employerOverviewAllocate", **own, employerIds=[garage])
    moved = await master.user_errors("learnerUpdate", id=scenario.cy, input={"employerId": garage})
    assert moved == {"input.employerId": "CONFLICT"}


async def head(scenario: EmptyPortfolio) -> str:
    made = await scenario.client("master").mutate("employerCreate", input={"name": "Another site"})
    return made["id"]


async def test_a_learner_is_not_assessor_or_iqa_of_their_own_aim(scenario: EmptyPortfolio) -> None:
    await give(scenario, "learner", Role.ASSESSOR, Role.IQA)
    for field in ("assessorId", "iqaId"):
        refusal = await scenario.client("master").user_errors(
            "aimUpdate", id=scenario.aim, input={field: user_id(scenario, "learner")}
        )
        assert refusal == {f"input.{field}": "CONFLICT"}


async def test_only_an_assessor_takes_an_aim_and_nobody_makes_themself_its_iqa(scenario: EmptyPortfolio) -> None:
    await give(scenario, "master", Role.ASSESSOR, Role.IQA)
    await give(scenario, "assessor", Role.IQA)
    for who, field in (("master", "assessorId"), ("master", "iqaId")):
        refusal = await scenario.client(who).user_errors(
            "aimUpdate", id=scenario.aim, input={field: user_id(scenario, who)}
        )
        assert refusal == {f"input.{field}": "NOT_ALLOWED"}
    other = user_id(scenario, "other_assessor")
    refusal = await scenario.client("assessor").user_errors(
        "aimUpdate", id=scenario.aim, input={"assessorId": other, "iqaId": user_id(scenario, "assessor")}
    )
    assert refusal == {"input.iqaId": "NOT_ALLOWED"}


async def request_of(scenario: EmptyPortfolio, *roles: Role) -> tuple[str, str]:
    file = await scenario.upload("basic")
    key = await signature_request.create(
        scenario.context("basic"), learner_id=scenario.ada, title="Review", roles=roles, file_id=file
    )
    return ids.encode("SignatureRequest", key), (await scenario.file(file)).sha256


def sign(scenario: EmptyPortfolio, who: str, id: str, digest: str) -> Any:
    return signature_request.sign(scenario.context(who), id=id, document_sha256=digest, password=PASSWORD)


async def test_one_person_fills_one_slot_of_a_document(scenario: EmptyPortfolio) -> None:
    await both_hats(scenario)
    id, digest = await request_of(scenario, Role.ASSESSOR, Role.IQA)
    await sign(scenario, "assessor", id, digest)
    assert await rejected(sign(scenario, "assessor.IQA", id, digest)) == {"id": UserErrorCode.NOT_ALLOWED}
    # The own signature again changes nothing, as before.
    await sign(scenario, "assessor", id, digest)
    assert [slot.signed_by_id is None for slot in await scenario.rows(SignatureSlot)] == [False, True]


async def test_two_signatures_of_one_person_at_once_fill_one_slot(scenario: EmptyPortfolio) -> None:
    await both_hats(scenario)
    for _ in range(5):
        id, digest = await request_of(scenario, Role.ASSESSOR, Role.IQA)
        done = await asyncio.gather(
            *(sign(scenario, who, id, digest) for who in ("assessor", "assessor.IQA")), return_exceptions=True
        )
        assert sum(isinstance(one, int) for one in done) == 1, done
    assert len(await scenario.rows(SignatureSlot, SignatureSlot.signed_at.is_not(None))) == 5
    assert {one.status.value for one in await scenario.rows(SignatureRequest)} == {"PENDING"}


async def test_one_person_signs_a_unit_once(scenario: EmptyPortfolio) -> None:
    await both_hats(scenario)
    aim = ids.decode("Aim", scenario.aim)
    key = ids.decode_pair("Unit", scenario.units[0])[1]
    user = scenario.user("assessor")
    await scenario.add(
        UnitSignature(
            provider_id=user.provider_id, learner_id=ids.decode("Learner", scenario.ada), aim_id=aim, unit_id=key,
            role=Role.ASSESSOR, signed_by_id=user.id, signed_at=clock.now(), statement="s", content_sha256="0" * 64,
        )
    )  # fmt: skip
    signing = unit.sign(scenario.context("assessor.IQA"), id=scenario.units[0], password=PASSWORD)
    assert await rejected(signing) == {"id": UserErrorCode.NOT_ALLOWED}


async def test_one_person_signs_evidence_once(scenario: EmptyPortfolio) -> None:
    await both_hats(scenario)
    async with scenario.database.writing() as session:
        factory = Factory(session)
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        evidence = await factory.evidence(aim, scenario.user("learner"), EvidenceStatus.SUBMITTED)
        await factory.evidence_version(evidence)
        id = id_of(evidence)
    await submission.sign(scenario.context("assessor"), id=id, password=PASSWORD)
    signing = submission.sign(scenario.context("assessor.IQA"), id=id, password=PASSWORD)
    assert await rejected(signing) == {"id": UserErrorCode.NOT_ALLOWED}
    assert len(await scenario.rows(EvidenceSignature)) == 1


async def test_verify_names_what_an_earlier_release_allowed(scenario: EmptyPortfolio) -> None:
    async def notices() -> list[str]:
        async with scenario.database.snapshot() as session:
            return [notice async for notice in separation_notices(session)]

    assert await notices() == []
    await both_hats(scenario)
    await give(scenario, "learner", *EMPLOYER, Role.ASSESSOR)
    ada, learner = scenario.user("learner"), scenario.people["learner"][2]
    id, _ = await request_of(scenario, Role.ASSESSOR, Role.IQA)
    owner = {"provider_id": ada.provider_id, "user_id": ada.id, "allocated_at": clock.now()}
    async with scenario.database.writing() as session:
        session.add(ManagerAllocation(learner_id=learner.id, **owner))
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        aim.assessor_id = ada.id
        await session.execute(
            update(SignatureSlot).values(signed_by_id=scenario.user("assessor").id, signed_at=clock.now())
        )
        master = scenario.user("master").id
        await session.execute(update(RoleGrant).where(RoleGrant.user_id == master).values(granted_by_id=master))
    found = await notices()
    for part in (
        f"user {ada.id} holds the staff role ASSESSOR and the employer role EMPLOYER_MANAGER",
        f"user {ada.id} manages their own learner record",
        f"aim {ids.decode('Aim', scenario.aim)} has its learner as assessor or IQA",
        f"document {ids.decode('SignatureRequest', id)} is signed by user {scenario.user('assessor').id}",
        f"user {master} was granted the role MASTER_ADMIN by themself",
    ):
        assert any(notice.startswith(part) for notice in found), (part, found)
