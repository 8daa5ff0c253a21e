"""Aims: added by who enrols, with people who can hold them, and changed along the ways that there are."""

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
from resolvers import aim
from resolvers.aim import NEXT
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage, refused
from tests.support.factories import DAY, Factory

START, END = "2026-09-01", "2028-08-31"


def user_id(stage: Stage, who: str) -> str:
    return ids.encode("User", stage.user(who).id)


async def maths(stage: Stage, **more: Any) -> dict[str, Any]:
    """The input of an aim in a qualification that nobody has."""
    async with stage.database.writing() as session:
        provider = await session.get_one(Provider, stage.user("basic").provider_id)
        qualification = await Factory(session).qualification(provider, "Maths", units=(4, 3))
    return {
        "learnerId": stage.ada,
        "qualificationId": ids.encode("Qualification", qualification.id),
        "assessorId": user_id(stage, "assessor"),
        "startDate": START,
        "plannedEndDate": END,
        **more,
    }


async def the_aim(stage: Stage, id: str) -> Aim:
    return await stage.one(Aim, ids.decode("Aim", id))


async def test_an_aim_waits_for_the_induction(stage: Stage) -> None:
    added = await done(stage, "basic", "aimAdd", input=await maths(stage, iqaId=user_id(stage, "iqa")))
    assert added == {
        "id": added["id"], "title": "Maths", "status": "AWAITING_INDUCTION", "assessor": {"name": "Assessor"},
        "iqa": {"name": "Iqa"}, "startDate": START, "plannedEndDate": END, "actualEndDate": None,
        "trafficLight": "NOT_RATED", "progress": {"criteriaTotal": 7}, "learner": {"name": "Learner"},
    }  # fmt: skip
    await stage.check_sums()
    assert await stage.trail() == ["aimAdd"]
    assert len(await stage.rows(AimProgress)) == len(await stage.rows(Aim)) == 5


async def test_an_assessor_adds_the_first_aim_of_whom_they_enrolled(stage: Stage) -> None:
    (garage,) = await stage.rows(Employer)
    bea = {"name": "Bea", "email": "bea@x.example", "employerId": ids.encode("Employer", garage.id)}
    enrolled = await done(stage, "assessor", "learnerEnrol", input=bea)
    asked = await maths(stage, learnerId=enrolled["id"], assessorId=user_id(stage, "other_assessor"))
    # Somebody else's from now on: it is made, and out of sight.
    assert await done(stage, "assessor", "aimAdd", input=asked) is None
    assert await faults(stage, "assessor", "aimAdd", input=asked) == {"input.learnerId": "NOT_FOUND"}
    assert await faults(stage, "other_assessor", "aimAdd", input=asked) == {"input.qualificationId": "CONFLICT"}
    mine = {**asked, "learnerId": stage.ada, "assessorId": user_id(stage, "assessor")}
    assert (await done(stage, "assessor", "aimAdd", input=mine))["assessor"] == {"name": "Assessor"}


@pytest.mark.parametrize("who", ["learner", "iqa", "manager", "overview"])
async def test_nobody_else_writes_aims(stage: Stage, who: str) -> None:
    assert await faults(stage, who, "aimAdd", input=await maths(stage)) == {None: "NOT_ALLOWED"}
    assert await faults(stage, who, "aimUpdate", id=stage.aim, input={"status": "WITHDRAWN"}) == {None: "NOT_ALLOWED"}


async def test_what_is_not_seen_is_not_there(stage: Stage) -> None:
    for who, id in (("assessor", stage.cys_aim), ("assessor", stage.other_aim), ("master", stage.foreign_aim)):
        unseen = await ask(stage, who, "aimUpdate", id=id, input={"status": "WITHDRAWN"})
        assert unseen == await ask(stage, who, "aimUpdate", id="Aim_999999", input={"status": "WITHDRAWN"})
        assert unseen["errors"][0]["field"] == ["id"] and unseen["errors"][0]["code"] == "NOT_FOUND"
    asked = await maths(stage, learnerId=stage.cy)
    assert await faults(stage, "assessor", "aimAdd", input=asked) == {"input.learnerId": "NOT_FOUND"}


async def test_all_faults_of_an_aim_are_told_together(stage: Stage) -> None:
    before = await stage.state()
    asked = await maths(stage)
    wrong = {
        **asked, "qualificationId": "Qualification_999999", "assessorId": user_id(stage, "basic"),
        "iqaId": user_id(stage, "foreign_assessor"), "plannedEndDate": "2026-08-31",
    }  # fmt: skip
    assert await faults(stage, "basic", "aimAdd", input=wrong) == {
        "input.qualificationId": "NOT_FOUND", "input.assessorId": "INVALID", "input.iqaId": "NOT_FOUND",
        "input.plannedEndDate": "INVALID",
    }  # fmt: skip
    cycling = ids.encode("Qualification", (await the_aim(stage, stage.aim)).qualification_id)
    assert await faults(stage, "basic", "aimAdd", input={**asked, "qualificationId": cycling}) == {
        "input.qualificationId": "CONFLICT"
    }
    assert len(await stage.rows(Aim)) == before["aim"]
    # The start may be the end, and what has ended can begin anew.
    await done(stage, "basic", "aimUpdate", id=stage.aim, input={"status": "WITHDRAWN"})
    await done(stage, "basic", "aimAdd", input={**asked, "qualificationId": cycling, "plannedEndDate": START})
    answer = await faults(stage, "basic", "aimUpdate", id=stage.aim, input={"status": "IN_TRAINING"})
    assert answer == {"input.status": "CONFLICT"}


async def test_one_aim_comes_of_many_at_once(stage: Stage) -> None:
    asked = await maths(stage)
    made = await asyncio.gather(*(ask(stage, "basic", "aimAdd", input=asked) for _ in range(6)))
    assert sum(one["aim"] is not None for one in made) == 1
    assert {error["code"] for one in made for error in one["errors"]} == {"CONFLICT"}
    await stage.check_sums()


async def test_one_person_is_never_assessor_and_iqa(stage: Stage) -> None:
    for role, who in (("IQA", "assessor"), ("ASSESSOR", "iqa")):
        await done(stage, "master", "roleGrant", userId=user_id(stage, who), role=role)
    asked = await maths(stage, iqaId=user_id(stage, "assessor"))
    assert await faults(stage, "basic", "aimAdd", input=asked) == {"input.iqaId": "INVALID"}
    asked = {"iqaId": user_id(stage, "assessor")}
    assert await faults(stage, "basic", "aimUpdate", id=stage.aim, input=asked) == {"input.iqaId": "INVALID"}
    asked = {"assessorId": user_id(stage, "iqa")}
    assert await faults(stage, "basic", "aimUpdate", id=stage.aim, input=asked) == {"input.assessorId": "INVALID"}
    # Both at once may change places.
    asked |= {"iqaId": user_id(stage, "assessor")}
    changed = await done(stage, "basic", "aimUpdate", id=stage.aim, input=asked)
    assert (changed["assessor"], changed["iqa"]) == ({"name": "Iqa"}, {"name": "Assessor"})


async def test_an_assessor_who_is_replaced_sees_it_no_more(stage: Stage) -> None:
    asked = {"assessorId": user_id(stage, "other_assessor")}
    assert await done(stage, "assessor", "aimUpdate", id=stage.aim, input=asked) is None
    assert await stage.at("assessor").loaders[AimLoader].load(ids.decode("Aim", stage.aim)) is None
    assert await stage.at("other_assessor").loaders[AimLoader].load(ids.decode("Aim", stage.aim)) is not None
    # The IQA can be taken away, the assessor only replaced.
    changed = await done(stage, "basic", "aimUpdate", id=stage.aim, input={"iqaId": None, "assessorId": None})
    assert (changed["iqa"], changed["assessor"]) == (None, {"name": "Other Assessor"})
    assert await stage.at("iqa").loaders[AimLoader].load(ids.decode("Aim", stage.aim)) is None


@pytest.mark.parametrize("before", list(AimStatus))
async def test_a_status_follows_only_where_it_can(stage: Stage, before: AimStatus) -> None:
    for after in AimStatus:
        async with stage.database.writing() as session:
            row = await session.get_one(Aim, ids.decode("Aim", stage.aim))
            row.status, row.actual_end_date = before, None
        answer = await ask(stage, "assessor", "aimUpdate", id=stage.aim, input={"status": after.value})
        if after is before or after in NEXT[before]:
            assert answer["aim"]["status"] == after.value
            assert (answer["aim"]["actualEndDate"] is not None) == (after in (AimStatus.COMPLETED, AimStatus.WITHDRAWN))
        else:
            (error,) = answer["errors"]
            assert (error["field"], error["code"]) == (["input", "status"], "CONFLICT")


async def test_an_ended_aim_has_its_day_and_loses_it_when_it_goes_on(stage: Stage) -> None:
    today = clock.today()
    yesterday = today - DAY
    for day in (today + DAY, today - 101 * DAY):
        asked = {"status": "COMPLETED", "actualEndDate": day.isoformat()}
        answer = await faults(stage, "assessor", "aimUpdate", id=stage.aim, input=asked)
        assert answer == {"input.actualEndDate": "INVALID"}
    asked = {"actualEndDate": yesterday.isoformat()}
    answer = await faults(stage, "assessor", "aimUpdate", id=stage.aim, input=asked)
    assert answer == {"input.actualEndDate": "INVALID"}
    ended = await done(stage, "assessor", "aimUpdate", id=stage.aim, input={"status": "COMPLETED"})
    assert (ended["actualEndDate"], ended["trafficLight"]) == (today.isoformat(), "NOT_RATED")
    ended = await done(stage, "assessor", "aimUpdate", id=stage.aim, input=asked)
    assert (ended["status"], ended["actualEndDate"]) == ("COMPLETED", yesterday.isoformat())
    same = await done(stage, "assessor", "aimUpdate", id=stage.aim, input={"status": "COMPLETED"})
    assert same["actualEndDate"] == yesterday.isoformat()
    back = await done(stage, "assessor", "aimUpdate", id=stage.aim, input={"status": "IN_TRAINING"})
    assert (back["status"], back["actualEndDate"]) == ("IN_TRAINING", None)
    assert len(await stage.trail()) == 3


async def test_the_planned_end_is_not_before_the_start(stage: Stage) -> None:
    start = (await the_aim(stage, stage.aim)).start_date
    doing = aim.update(stage.at("assessor"), id=stage.aim, planned_end_date=start - DAY)
    assert await refused(doing) == {"input.plannedEndDate": UserErrorCode.INVALID}
    changed = await done(stage, "assessor", "aimUpdate", id=stage.aim, input={"plannedEndDate": start.isoformat()})
    assert changed["plannedEndDate"] == start.isoformat()


async def test_two_writers_of_one_aim_lose_nothing(stage: Stage) -> None:
    end = (await the_aim(stage, stage.aim)).planned_end_date + 30 * DAY
    results = await asyncio.gather(
        aim.update(stage.at("assessor"), id=stage.aim, status=AimStatus.SUSPENDED),
        aim.update(stage.at("basic"), id=stage.aim, planned_end_date=end),
        return_exceptions=True,
    )
    row = await the_aim(stage, stage.aim)
    kept = (row.status is AimStatus.SUSPENDED) + (row.planned_end_date == end)
    assert kept == sum(not isinstance(result, DomainError) for result in results) >= 1
