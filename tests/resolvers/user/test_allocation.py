"""Allocations: permissions, all or none, and their end from the next request on."""

import asyncio

from db.models.audit_event import AuditEvent
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation
from domain import global_id as ids
from domain.enums import UserErrorCode
from loaders.learner import LearnerLoader
from resolvers.user import allocation
from tests.support.factories import Factory
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


def user_id(scenario: EmptyPortfolio, who: str) -> str:
    return ids.encode("User", scenario.user(who).id)


async def seen(scenario: EmptyPortfolio, who: str) -> set[str]:
    """Returns the ids of the learners that a user sees, in a new request."""
    keys = [ids.decode("Learner", id) for id in (scenario.ada, scenario.cy, scenario.zoe)]
    found = await scenario.context(who).loaders[LearnerLoader].load_many(keys)
    return {learner.id for learner in found if learner is not None}


async def site(scenario: EmptyPortfolio) -> str:
    return ids.encode("Employer", (await scenario.rows(OverviewAllocation))[0].employer_id)


async def test_a_learner_is_allocated_and_deallocated(scenario: EmptyPortfolio) -> None:
    asked = {"userId": user_id(scenario, "colleague"), "learnerIds": [scenario.ada, scenario.ada]}
    assert await seen(scenario, "colleague") == set()
    for _ in range(2):
        allocations_of = await scenario.client("assessor").mutate("employerManagerAllocate", **asked)
        assert allocations_of["user"]["name"] == "Colleague"
    assert await seen(scenario, "colleague") == {scenario.ada}
    (row,) = await scenario.rows(ManagerAllocation, ManagerAllocation.user_id == scenario.user("colleague").id)
    assert row.allocated_by_id == scenario.user("assessor").id
    for _ in range(2):
        await scenario.client("assessor").mutate("employerManagerDeallocate", **asked)
    assert await seen(scenario, "colleague") == set()
    assert await seen(scenario, "manager") == {scenario.ada}
    lines = await scenario.rows(AuditEvent)
    assert [line.action for line in lines] == ["employerManagerAllocate", "employerManagerDeallocate"]
    # The allocation of one learner is in that learner's audit trail.
    assert {line.learner_id for line in lines} == {ids.decode("Learner", scenario.ada)}


async def test_learners_are_allocated_all_or_none(scenario: EmptyPortfolio) -> None:
    asked = {
        "userId": user_id(scenario, "colleague"),
        "learnerIds": [scenario.ada, scenario.cy, "Learner_999", scenario.zoe, "?"],
    }
    refusal = await scenario.client("assessor").payload("employerManagerAllocate", **asked)
    assert {tuple(error["field"]) for error in refusal["errors"]} == {("learnerIds", place) for place in "1234"}
    # Out of scope, of another provider, unknown, invalid: the same error.
    assert len({(error["code"], error["message"]) for error in refusal["errors"]}) == 1
    assert await seen(scenario, "colleague") == set()
    assert await scenario.audit_trail() == []
    await scenario.client("basic").mutate(
        "employerManagerAllocate", **{**asked, "learnerIds": [scenario.ada, scenario.cy]}
    )
    assert await seen(scenario, "colleague") == {scenario.ada, scenario.cy}


async def test_an_assessor_cannot_deallocate_another_assessors_learner(scenario: EmptyPortfolio) -> None:
    asked = {"userId": user_id(scenario, "colleague"), "learnerIds": [scenario.cy]}
    await scenario.client("master").mutate("employerManagerAllocate", **asked)
    # A manager of other assessors' learners only is not visible to this assessor.
    assert await scenario.client("assessor").user_errors("employerManagerDeallocate", **asked) == {
        "userId": "NOT_FOUND"
    }
    asked["userId"] = user_id(scenario, "manager")
    assert await scenario.client("assessor").user_errors("employerManagerDeallocate", **asked) == {
        "learnerIds.0": "NOT_FOUND"
    }


async def test_the_user_must_have_the_role(scenario: EmptyPortfolio) -> None:
    asked = {"userId": user_id(scenario, "iqa"), "learnerIds": [scenario.ada]}
    assert await scenario.client("assessor").user_errors("employerManagerAllocate", **asked) == {"userId": "INVALID"}
    asked = {"userId": user_id(scenario, "manager"), "employerIds": [await site(scenario)]}
    assert await scenario.client("master").user_errors("employerOverviewAllocate", **asked) == {"userId": "INVALID"}
    await scenario.client("master").mutate("userArchive", id=user_id(scenario, "colleague"))
    asked = {"userId": user_id(scenario, "colleague"), "learnerIds": [scenario.ada]}
    assert await scenario.client("master").user_errors("employerManagerAllocate", **asked) == {"userId": "INVALID"}


async def test_roles_that_can_allocate(scenario: EmptyPortfolio) -> None:
    manager, overview = user_id(scenario, "manager"), user_id(scenario, "overview")
    for who in ("learner", "iqa", "manager", "overview"):
        for mutation in ("employerManagerAllocate", "employerManagerDeallocate"):
            asked = {"userId": manager, "learnerIds": [scenario.ada]}
            assert await scenario.client(who).user_errors(mutation, **asked) == {None: "NOT_ALLOWED"}
    for who in ("learner", "assessor", "iqa", "manager", "overview", "basic"):
        for mutation in ("employerOverviewAllocate", "employerOverviewDeallocate"):
            asked = {"userId": overview, "employerIds": [await site(scenario)]}
            refusal = await scenario.client(who).user_errors(mutation, **asked)
            assert set(refusal.values()) <= {"NOT_ALLOWED", "NOT_FOUND"}
            if who == "basic":
                assert refusal == {None: "NOT_ALLOWED"}


async def test_sites_are_allocated_and_deallocated(scenario: EmptyPortfolio) -> None:
    asked = {"userId": user_id(scenario, "overview"), "employerIds": [await site(scenario)]}
    assert await seen(scenario, "overview") == {scenario.ada}
    await scenario.client("master").mutate("employerOverviewDeallocate", **asked)
    assert await seen(scenario, "overview") == set()
    for _ in range(2):
        await scenario.client("master").mutate("employerOverviewAllocate", **asked)
    assert await seen(scenario, "overview") == {scenario.ada}
    assert await scenario.audit_trail() == ["employerOverviewDeallocate", "employerOverviewAllocate"]


async def test_a_list_has_1_to_100_entries(scenario: EmptyPortfolio) -> None:
    asked = {"userId": user_id(scenario, "colleague"), "learnerIds": []}
    assert await scenario.client("master").user_errors("employerManagerAllocate", **asked) == {"learnerIds": "REQUIRED"}
    asked["learnerIds"] = [scenario.ada] * 101
    assert await scenario.client("master").user_errors("employerManagerAllocate", **asked) == {"learnerIds": "INVALID"}


async def test_concurrent_allocations_add_one_row(scenario: EmptyPortfolio) -> None:
    asked = {"user_id": user_id(scenario, "colleague"), "learner_ids": [scenario.ada, scenario.cy]}
    await asyncio.gather(*(allocation.manager_allocate(scenario.context("master"), **asked) for _ in range(10)))
    assert len(await scenario.rows(ManagerAllocation, ManagerAllocation.user_id == scenario.user("colleague").id)) == 2
    assert await scenario.audit_trail() == ["employerManagerAllocate"]
    asked["user_id"] = "User_999999"
    doing = allocation.manager_allocate(scenario.context("master"), **asked)
    assert await rejected(doing) == {"userId": UserErrorCode.NOT_FOUND}


async def test_an_assessor_finds_and_allocates_a_manager_of_a_colleagues_learner(scenario: EmptyPortfolio) -> None:
    """Cy learns at Ada's employer with another assessor; his manager is found by Ada's assessor too."""
    async with scenario.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        cy = await session.get_one(Learner, ids.decode("Learner", scenario.cy))
        elsewhere = cy.employer_id
        await Factory(session).allocate(scenario.user("colleague"), cy)
    query = "query($name: String) { users(search: $name) { nodes { id } } }"
    assessor, manager = scenario.client("assessor"), ids.encode("User", scenario.user("colleague").id)
    allocate = {"userId": manager, "learnerIds": [scenario.ada]}
    assert (await assessor.data(query, name="colleague"))["users"]["nodes"] == []
    assert await assessor.user_errors("employerManagerAllocate", **allocate) == {"userId": "NOT_FOUND"}
    async with scenario.database.writing() as session:
        (await session.get_one(Learner, cy.id)).employer_id = ada.employer_id
    assert elsewhere != ada.employer_id
    assert (await assessor.data(query, name="colleague"))["users"]["nodes"] == [{"id": manager}]
    # An IQA, who allocates nobody, does not.
    assert (await scenario.client("iqa").data(query, name="colleague"))["users"]["nodes"] == []
    await assessor.mutate("employerManagerAllocate", **allocate)
