"""Allocations: who allocates whom, all or none, and that taking away works from the next request on."""

import asyncio

from db.models.audit_event import AuditEvent
from db.models.user import ManagerAllocation, OverviewAllocation
from domain import global_id as ids
from domain.enums import UserErrorCode
from loaders.learner import LearnerLoader
from resolvers import allocation
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage, refused


def user_id(stage: Stage, who: str) -> str:
    return ids.encode("User", stage.user(who).id)


async def seen(stage: Stage, who: str) -> set[str]:
    """The ids of the learners that somebody sees, asked anew."""
    keys = [ids.decode("Learner", id) for id in (stage.ada, stage.cy, stage.zoe)]
    found = await stage.at(who).loaders[LearnerLoader].load_many(keys)
    return {learner.id for learner in found if learner is not None}


async def site(stage: Stage) -> str:
    return ids.encode("Employer", (await stage.rows(OverviewAllocation))[0].employer_id)


async def test_a_learner_is_allocated_and_taken_away(stage: Stage) -> None:
    asked = {"userId": user_id(stage, "colleague"), "learnerIds": [stage.ada, stage.ada]}
    assert await seen(stage, "colleague") == set()
    for _ in range(2):
        allocations_of = await done(stage, "assessor", "employerManagerAllocate", **asked)
        assert allocations_of["name"] == "Colleague"
    assert await seen(stage, "colleague") == {stage.ada}
    (row,) = await stage.rows(ManagerAllocation, ManagerAllocation.user_id == stage.user("colleague").id)
    assert row.allocated_by_id == stage.user("assessor").id
    for _ in range(2):
        await done(stage, "assessor", "employerManagerDeallocate", **asked)
    assert await seen(stage, "colleague") == set()
    assert await seen(stage, "manager") == {stage.ada}
    lines = await stage.rows(AuditEvent)
    assert [line.action for line in lines] == ["employerManagerAllocate", "employerManagerDeallocate"]
    # One learner's allocation stands in their own trail.
    assert {line.learner_id for line in lines} == {ids.decode("Learner", stage.ada)}


async def test_learners_are_allocated_all_or_none(stage: Stage) -> None:
    asked = {"userId": user_id(stage, "colleague"), "learnerIds": [stage.ada, stage.cy, "Learner_999", stage.zoe, "?"]}
    refusal = await ask(stage, "assessor", "employerManagerAllocate", **asked)
    assert {tuple(error["field"]) for error in refusal["errors"]} == {("learnerIds", place) for place in "1234"}
    # Unseen, another provider's, unknown and nonsense: one answer.
    assert len({(error["code"], error["message"]) for error in refusal["errors"]}) == 1
    assert await seen(stage, "colleague") == set()
    assert await stage.trail() == []
    await done(stage, "basic", "employerManagerAllocate", **{**asked, "learnerIds": [stage.ada, stage.cy]})
    assert await seen(stage, "colleague") == {stage.ada, stage.cy}


async def test_an_assessor_takes_no_other_assessors_learner_away(stage: Stage) -> None:
    asked = {"userId": user_id(stage, "colleague"), "learnerIds": [stage.cy]}
    await done(stage, "master", "employerManagerAllocate", **asked)
    # They do not even see whoever manages somebody else's learners alone.
    assert await faults(stage, "assessor", "employerManagerDeallocate", **asked) == {"userId": "NOT_FOUND"}
    asked["userId"] = user_id(stage, "manager")
    assert await faults(stage, "assessor", "employerManagerDeallocate", **asked) == {"learnerIds.0": "NOT_FOUND"}


async def test_the_person_must_hold_the_role(stage: Stage) -> None:
    asked = {"userId": user_id(stage, "iqa"), "learnerIds": [stage.ada]}
    assert await faults(stage, "assessor", "employerManagerAllocate", **asked) == {"userId": "INVALID"}
    asked = {"userId": user_id(stage, "manager"), "employerIds": [await site(stage)]}
    assert await faults(stage, "master", "employerOverviewAllocate", **asked) == {"userId": "INVALID"}
    await done(stage, "master", "userArchive", id=user_id(stage, "colleague"))
    asked = {"userId": user_id(stage, "colleague"), "learnerIds": [stage.ada]}
    assert await faults(stage, "master", "employerManagerAllocate", **asked) == {"userId": "INVALID"}


async def test_who_may_allocate(stage: Stage) -> None:
    manager, overview = user_id(stage, "manager"), user_id(stage, "overview")
    for who in ("learner", "iqa", "manager", "overview"):
        for mutation in ("employerManagerAllocate", "employerManagerDeallocate"):
            asked = {"userId": manager, "learnerIds": [stage.ada]}
            assert await faults(stage, who, mutation, **asked) == {None: "NOT_ALLOWED"}
    for who in ("learner", "assessor", "iqa", "manager", "overview", "basic"):
        for mutation in ("employerOverviewAllocate", "employerOverviewDeallocate"):
            asked = {"userId": overview, "employerIds": [await site(stage)]}
            refusal = await faults(stage, who, mutation, **asked)
            assert set(refusal.values()) <= {"NOT_ALLOWED", "NOT_FOUND"}
            if who == "basic":
                assert refusal == {None: "NOT_ALLOWED"}


async def test_sites_are_allocated_and_taken_away(stage: Stage) -> None:
    asked = {"userId": user_id(stage, "overview"), "employerIds": [await site(stage)]}
    assert await seen(stage, "overview") == {stage.ada}
    await done(stage, "master", "employerOverviewDeallocate", **asked)
    assert await seen(stage, "overview") == set()
    for _ in range(2):
        await done(stage, "master", "employerOverviewAllocate", **asked)
    assert await seen(stage, "overview") == {stage.ada}
    assert await stage.trail() == ["employerOverviewDeallocate", "employerOverviewAllocate"]


async def test_a_list_has_one_entry_at_least_and_a_hundred_at_most(stage: Stage) -> None:
    asked = {"userId": user_id(stage, "colleague"), "learnerIds": []}
    assert await faults(stage, "master", "employerManagerAllocate", **asked) == {"learnerIds": "REQUIRED"}
    asked["learnerIds"] = [stage.ada] * 101
    assert await faults(stage, "master", "employerManagerAllocate", **asked) == {"learnerIds": "INVALID"}


async def test_one_allocation_comes_of_many_at_once(stage: Stage) -> None:
    asked = {"user_id": user_id(stage, "colleague"), "learner_ids": [stage.ada, stage.cy]}
    await asyncio.gather(*(allocation.manager_allocate(stage.at("master"), **asked) for _ in range(10)))
    assert len(await stage.rows(ManagerAllocation, ManagerAllocation.user_id == stage.user("colleague").id)) == 2
    assert await stage.trail() == ["employerManagerAllocate"]
    asked["user_id"] = "User_999999"
    doing = allocation.manager_allocate(stage.at("master"), **asked)
    assert await refused(doing) == {"userId": UserErrorCode.NOT_FOUND}
