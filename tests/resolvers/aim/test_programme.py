"""Aims are added with people in the right roles, and changed along the allowed statuses."""

import asyncio
from typing import Any

import pytest

from db.models.aim import Aim, AimProgress
from db.models.employer import Employer
from db.models.provider import Provider
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus, UserErrorCode
from domain.errors import DomainError
from loaders.aim import AimLoader
from resolvers.aim import programme
from resolvers.aim.programme import NEXT_STATUSES
from tests.support.factories import DAY, Factory
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

START, END = "2026-09-01", "2028-08-31"


def user_id(scenario: EmptyPortfolio, who: str) -> str:
    return ids.encode("User", scenario.user(who).id)


async def maths(scenario: EmptyPortfolio, **more: Any) -> dict[str, Any]:
    """Returns the input of an aim in a qualification that no learner has."""
    async with scenario.database.writing() as session:
        provider = await session.get_one(Provider, scenario.user("basic").provider_id)
        qualification = await Factory(session).qualification(provider, "Maths", units=(4, 3))
    return {
        "learnerId": scenario.ada,
        "qualificationId": ids.encode("Qualification", qualification.id),
        "assessorId": user_id(scenario, "assessor"),
        "startDate": START,
        "plannedEndDate": END,
        **more,
    }


async def the_aim(scenario: EmptyPortfolio, id: str) -> Aim:
    return await scenario.one(Aim, ids.decode("Aim", id))


async def test_a_new_aim_awaits_the_induction(scenario: EmptyPortfolio) -> None:
    added = await scenario.client("basic").mutate("aimAdd", input=await maths(scenario, iqaId=user_id(scenario, "iqa")))
    assert (added["title"], added["status"], added["trafficLight"]) == ("Maths", "AWAITING_INDUCTION", "NOT_RATED")
    assert (added["assessor"]["name"], added["iqa"]["name"], added["learner"]["name"]) == ("Assessor", "Iqa", "Learner")
    assert (added["startDate"], added["plannedEndDate"], added["actualEndDate"]) == (START, END, None)
    assert added["progress"]["criteriaTotal"] == 7
    await scenario.check_progress()
    assert await scenario.audit_trail() == ["aimAdd"]
    assert len(await scenario.rows(AimProgress)) == len(await scenario.rows(Aim)) == 5


async def test_an_assessor_adds_the_first_aim_of_an_enrolled_learner(scenario: EmptyPortfolio) -> None:
    (garage,) = await scenario.rows(Employer)
    bea = {"name": "Bea", "email": "bea@x.example", "employerId": ids.encode("Employer", garage.id)}
    enrolled = await scenario.client("assessor").mutate("learnerEnrol", input=bea)
    asked = await maths(scenario, learnerId=enrolled["id"], assessorId=user_id(scenario, "other_assessor"))
    # The aim is another assessor's: it is created, and the viewer does not see it.
    assert await scenario.client("assessor").mutate("aimAdd", input=asked) is None
    assert await scenario.client("assessor").user_errors("aimAdd", input=asked) == {"input.learnerId": "NOT_FOUND"}
    assert await scenario.client("other_assessor").user_errors("aimAdd", input=asked) == {
        "input.qualificationId": "CONFLICT"
    }
    mine = {**asked, "learnerId": scenario.ada, "assessorId": user_id(scenario, "assessor")}
    assert (await scenario.client("assessor").mutate("aimAdd", input=mine))["assessor"]["name"] == "Assessor"


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_other_roles_cannot_change_aims(scenario: EmptyPortfolio, who: str) -> None:
    assert await scenario.client(who).user_errors("aimAdd", input=await maths(scenario)) == {None: "NOT_ALLOWED"}
    assert await scenario.client(who).user_errors("aimUpdate", id=scenario.aim, input={"status": "WITHDRAWN"}) == {
        None: "NOT_ALLOWED"
    }


async def test_records_outside_the_scope_are_not_found(scenario: EmptyPortfolio) -> None:
    for who, id in (("assessor", scenario.cys_aim), ("assessor", scenario.other_aim), ("master", scenario.foreign_aim)):
        unseen = await scenario.client(who).payload("aimUpdate", id=id, input={"status": "WITHDRAWN"})
        assert unseen == await scenario.client(who).payload("aimUpdate", id="Aim_999999", input={"status": "WITHDRAWN"})
        assert unseen["errors"][0]["field"] == ["id"] and unseen["errors"][0]["code"] == "NOT_FOUND"
    asked = await maths(scenario, learnerId=scenario.cy)
    assert await scenario.client("assessor").user_errors("aimAdd", input=asked) == {"input.learnerId": "NOT_FOUND"}


async def test_all_errors_of_an_aim_are_reported_together(scenario: EmptyPortfolio) -> None:
    before = await scenario.row_counts()
    asked = await maths(scenario)
    wrong = {
        **asked, "qualificationId": "Qualification_999999", "assessorId": user_id(scenario, "basic"),
        "iqaId": user_id(scenario, "foreign_assessor"), "plannedEndDate": "2026-08-31",
    }  # fmt: skip
    assert await scenario.client("basic").user_errors("aimAdd", input=wrong) == {
        "input.qualificationId": "NOT_FOUND", "input.assessorId": "INVALID", "input.iqaId": "NOT_FOUND",
        "input.plannedEndDate": "INVALID",
    }  # fmt: skip
    cycling = ids.encode("Qualification", (await the_aim(scenario, scenario.aim)).qualification_id)
    assert await scenario.client("basic").user_errors("aimAdd", input={**asked, "qualificationId": cycling}) == {
        "input.qualificationId": "CONFLICT"
    }
    assert len(await scenario.rows(Aim)) == before["aim"]
    # Start and end can be the same day, and an ended aim can be added again.
    await scenario.client("basic").mutate("aimUpdate", id=scenario.aim, input={"status": "WITHDRAWN"})
    await scenario.client("basic").mutate(
        "aimAdd", input={**asked, "qualificationId": cycling, "plannedEndDate": START}
    )
    answer = await scenario.client("basic").user_errors("aimUpdate", id=scenario.aim, input={"status": "IN_TRAINING"})
    assert answer == {"input.status": "CONFLICT"}


async def test_concurrent_requests_add_one_aim(scenario: EmptyPortfolio) -> None:
    asked = await maths(scenario)
    made = await asyncio.gather(*(scenario.client("basic").payload("aimAdd", input=asked) for _ in range(6)))
    assert sum(one["aim"] is not None for one in made) == 1
    assert {error["code"] for one in made for error in one["errors"]} == {"CONFLICT"}
    await scenario.check_progress()


async def test_one_person_cannot_be_assessor_and_iqa(scenario: EmptyPortfolio) -> None:
    for role, who in (("IQA", "assessor"), ("ASSESSOR", "iqa")):
        await scenario.client("master").mutate("roleGrant", userId=user_id(scenario, who), role=role)
    asked = await maths(scenario, iqaId=user_id(scenario, "assessor"))
    assert await scenario.client("basic").user_errors("aimAdd", input=asked) == {"input.iqaId": "INVALID"}
    asked = {"iqaId": user_id(scenario, "assessor")}
    assert await scenario.client("basic").user_errors("aimUpdate", id=scenario.aim, input=asked) == {
        "input.iqaId": "INVALID"
    }
    asked = {"assessorId": user_id(scenario, "iqa")}
    assert await scenario.client("basic").user_errors("aimUpdate", id=scenario.aim, input=asked) == {
        "input.assessorId": "INVALID"
    }
    # Both people can be replaced at once.
    asked |= {"iqaId": user_id(scenario, "assessor")}
    changed = await scenario.client("basic").mutate("aimUpdate", id=scenario.aim, input=asked)
    assert (changed["assessor"]["name"], changed["iqa"]["name"]) == ("Iqa", "Assessor")


async def test_a_replaced_assessor_no_longer_sees_the_aim(scenario: EmptyPortfolio) -> None:
    asked = {"assessorId": user_id(scenario, "other_assessor")}
    assert await scenario.client("assessor").mutate("aimUpdate", id=scenario.aim, input=asked) is None
    assert await scenario.context("assessor").loaders[AimLoader].load(ids.decode("Aim", scenario.aim)) is None
    assert await scenario.context("other_assessor").loaders[AimLoader].load(ids.decode("Aim", scenario.aim)) is not None
    # The IQA can be removed, the assessor can only be replaced.
    changed = await scenario.client("basic").mutate(
        "aimUpdate", id=scenario.aim, input={"iqaId": None, "assessorId": None}
    )
    assert (changed["iqa"], changed["assessor"]["name"]) == (None, "Other Assessor")
    assert await scenario.context("iqa").loaders[AimLoader].load(ids.decode("Aim", scenario.aim)) is None


@pytest.mark.parametrize("before", list(AimStatus))
async def test_only_allowed_status_changes_are_accepted(scenario: EmptyPortfolio, before: AimStatus) -> None:
    for after in AimStatus:
        async with scenario.database.writing() as session:
            row = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
            row.status, row.actual_end_date = before, None
        answer = await scenario.client("assessor").payload("aimUpdate", id=scenario.aim, input={"status": after.value})
        if after is before or after in NEXT_STATUSES[before]:
            assert answer["aim"]["status"] == after.value
            assert (answer["aim"]["actualEndDate"] is not None) == (after in (AimStatus.COMPLETED, AimStatus.WITHDRAWN))
        else:
            (error,) = answer["errors"]
            assert (error["field"], error["code"]) == (["input", "status"], "CONFLICT")


async def test_an_ended_aim_has_an_actual_end_date_until_it_continues(scenario: EmptyPortfolio) -> None:
    today = clock.today()
    yesterday = today - DAY
    for day in (today + DAY, today - 101 * DAY):
        asked = {"status": "COMPLETED", "actualEndDate": day.isoformat()}
        answer = await scenario.client("assessor").user_errors("aimUpdate", id=scenario.aim, input=asked)
        assert answer == {"input.actualEndDate": "INVALID"}
    asked = {"actualEndDate": yesterday.isoformat()}
    answer = await scenario.client("assessor").user_errors("aimUpdate", id=scenario.aim, input=asked)
    assert answer == {"input.actualEndDate": "INVALID"}
    ended = await scenario.client("assessor").mutate("aimUpdate", id=scenario.aim, input={"status": "COMPLETED"})
    assert (ended["actualEndDate"], ended["trafficLight"]) == (today.isoformat(), "NOT_RATED")
    ended = await scenario.client("assessor").mutate("aimUpdate", id=scenario.aim, input=asked)
    assert (ended["status"], ended["actualEndDate"]) == ("COMPLETED", yesterday.isoformat())
    same = await scenario.client("assessor").mutate("aimUpdate", id=scenario.aim, input={"status": "COMPLETED"})
    assert same["actualEndDate"] == yesterday.isoformat()
    back = await scenario.client("assessor").mutate("aimUpdate", id=scenario.aim, input={"status": "IN_TRAINING"})
    assert (back["status"], back["actualEndDate"]) == ("IN_TRAINING", None)
    assert len(await scenario.audit_trail()) == 3


async def test_the_planned_end_cannot_be_before_the_start(scenario: EmptyPortfolio) -> None:
    start = (await the_aim(scenario, scenario.aim)).start_date
    doing = programme.update(scenario.context("assessor"), id=scenario.aim, planned_end_date=start - DAY)
    assert await rejected(doing) == {"input.plannedEndDate": UserErrorCode.INVALID}
    changed = await scenario.client("assessor").mutate(
        "aimUpdate", id=scenario.aim, input={"plannedEndDate": start.isoformat()}
    )
    assert changed["plannedEndDate"] == start.isoformat()


async def test_concurrent_changes_of_one_aim_are_all_kept(scenario: EmptyPortfolio) -> None:
    end = (await the_aim(scenario, scenario.aim)).planned_end_date + 30 * DAY
    results = await asyncio.gather(
        programme.update(scenario.context("assessor"), id=scenario.aim, status=AimStatus.SUSPENDED),
        programme.update(scenario.context("basic"), id=scenario.aim, planned_end_date=end),
        return_exceptions=True,
    )
    row = await the_aim(scenario, scenario.aim)
    kept = (row.status is AimStatus.SUSPENDED) + (row.planned_end_date == end)
    assert kept == sum(not isinstance(result, DomainError) for result in results) >= 1
