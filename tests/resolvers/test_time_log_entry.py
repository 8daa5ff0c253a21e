"""The time log: added, changed, deleted and approved; a day has 24 hours, and nobody changes what is not theirs."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain import global_id as ids
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage
from tests.support.factories import Factory


def day(ago: int = 0) -> str:
    return (clock.today() - dt.timedelta(days=ago)).isoformat()


def entry(learner: str, minutes: int = 60, **changes: Any) -> dict[str, Any]:
    words = {"date": day(), "activityType": "COACHING_OR_MENTORING", "comments": "Watched a wheel being trued"}
    return {"learnerId": learner, "minutes": minutes, **words, **changes}


async def add(stage: Stage, who: str = "learner", minutes: int = 60, **changes: Any) -> dict[str, Any]:
    return await done(stage, who, "timeLogEntryAdd", input=entry(stage.ada, minutes, **changes))


async def automatic(stage: Stage) -> str:
    """What an attended session of Ada's has logged today."""
    async with stage.database.writing() as session:
        factory = Factory(session)
        ada = await session.get_one(Learner, ids.decode("Learner", stage.ada))
        made = await factory.session_of(ada, stage.user("assessor"), clock.now())
        logged = await factory.time_log_entry(ada, stage.user("assessor"), 60, automatic=True, session_id=made.id)
    return ids.encode("TimeLogEntry", logged.id)


async def test_time_is_logged(stage: Stage) -> None:
    assessor = ids.encode("User", stage.user("assessor").id)
    made = await add(stage, minutes=1, aimId=stage.aim, unitId=stage.units[0], assessorId=assessor, comments=" Trued ")
    assert (made["minutes"], made["comments"], made["jobSetting"]) == (1, "Trued", "OFF_THE_JOB")
    assert (made["aim"], made["unit"], made["assessor"]) == (
        {"id": stage.aim}, {"id": stage.units[0]}, {"name": "Assessor"}
    )  # fmt: skip
    assert made["automatic"] is False and made["approvedAt"] is None
    # The sums are the new ones already.
    assert made["learner"]["offTheJob"]["actualMinutes"] == 1
    made = await add(stage, activityType="REVIEW_FEEDBACK_OR_SUPPORT")
    assert (made["jobSetting"], made["aim"], made["unit"], made["assessor"]) == ("ON_THE_JOB", None, None, None)
    made = await add(stage, activityType="REVIEW_FEEDBACK_OR_SUPPORT", jobSetting="OFF_THE_JOB")
    assert made["jobSetting"] == "OFF_THE_JOB"
    line = (await stage.rows(AuditEvent))[0]
    assert (line.action, line.subject_type) == ("timeLogEntryAdd", "TimeLogEntry") and "Trued" not in str(line.detail)


async def test_a_unit_brings_its_aim(stage: Stage) -> None:
    made = await add(stage, unitId=stage.units[1])
    assert (made["aim"], made["unit"]) == ({"id": stage.aim}, {"id": stage.units[1]})


async def test_several_faults_come_back_together(stage: Stage) -> None:
    asked = entry(
        stage.ada, 0, date=day(-1), comments=" ", aimId=stage.other_aim, unitId=stage.units[0],
        assessorId=ids.encode("User", stage.user("master").id),
    )  # fmt: skip
    assert await faults(stage, "learner", "timeLogEntryAdd", input=asked) == {
        "input.comments": "REQUIRED",
        "input.minutes": "INVALID",
        "input.date": "INVALID",
        "input.unitId": "INVALID",
        "input.assessorId": "INVALID",
    }
    assert await stage.rows(TimeLogEntry) == []


async def test_the_foreign_and_the_unknown_are_not_found_alike(stage: Stage) -> None:
    aim = ids.decode("Aim", stage.aim)
    for field, id in (
        ("learnerId", stage.cy), ("learnerId", "Learner_999"), ("aimId", stage.cys_aim), ("aimId", stage.foreign_aim),
        ("aimId", "Aim_999"), ("unitId", f"Unit_999.{stage.units[0].split('.')[1]}"), ("unitId", f"Unit_{aim}.999"),
        ("unitId", stage.other_criterion.replace("Criterion", "Unit")), ("unitId", "Unit_1"),
        ("assessorId", "User_999"), ("assessorId", ids.encode("User", stage.user("foreign_assessor").id)),
    ):  # fmt: skip
        asked = entry(stage.ada, **{field: id})
        found = await faults(stage, "learner", "timeLogEntryAdd", input=asked)
        assert found == {f"input.{field}": "NOT_FOUND"}, id
    # The unit of a component that the assessor does not see, beside one that they do.
    async with stage.database.writing() as session:
        other = await session.get_one(Aim, ids.decode("Aim", stage.other_aim))
    unit = f"Unit_{other.id}.{stage.units[0].split('.')[1]}"
    for id in (unit, "Unit_999.1", "Unit_999.999"):
        asked = entry(stage.ada, aimId=stage.aim, unitId=id)
        assert await faults(stage, "assessor", "timeLogEntryAdd", input=asked) == {"input.unitId": "NOT_FOUND"}
    asked = entry(stage.ada, aimId=stage.cys_aim)
    assert await faults(stage, "master", "timeLogEntryAdd", input=asked) == {"input.aimId": "INVALID"}


async def test_a_day_has_24_hours(stage: Stage) -> None:
    await add(stage, minutes=1000)
    await automatic(stage)
    full = {"input.minutes": "INVALID"}
    for who in ("learner", "assessor"):
        assert await faults(stage, who, "timeLogEntryAdd", input=entry(stage.ada, 381)) == full
    assert await faults(stage, "learner", "timeLogEntryAdd", input=entry(stage.ada, 1441)) == full
    last = await add(stage, minutes=380)
    await add(stage, minutes=1440, date=day(1))
    asked = entry(stage.ada, 380)
    await done(stage, "learner", "timeLogEntryUpdate", id=last["id"], input=asked)
    assert await faults(stage, "learner", "timeLogEntryUpdate", id=last["id"], input={**asked, "minutes": 381}) == full
    assert await faults(stage, "learner", "timeLogEntryUpdate", id=last["id"], input={**asked, "date": day(1)}) == full


async def test_a_day_that_many_fill_at_once_has_24_hours(stage: Stage) -> None:
    whom = ("learner", "assessor", "basic")
    payloads = await asyncio.gather(
        *(ask(stage, whom[place % 3], "timeLogEntryAdd", input=entry(stage.ada, 400)) for place in range(12))
    )
    assert sum(one["timeLogEntry"] is not None for one in payloads) == 3
    assert sum(made.minutes for made in await stage.rows(TimeLogEntry)) == 1200


async def test_an_entry_says_what_it_is_given(stage: Stage) -> None:
    made = await add(stage, aimId=stage.aim, unitId=stage.units[0], jobSetting="ON_THE_JOB")
    asked = entry(stage.ada, 90, date=day(2), comments="Trued one myself")
    changed = await done(stage, "learner", "timeLogEntryUpdate", id=made["id"], input=asked)
    assert (changed["minutes"], changed["date"], changed["comments"]) == (90, day(2), "Trued one myself")
    assert (changed["jobSetting"], changed["aim"], changed["unit"]) == ("OFF_THE_JOB", None, None)
    await done(stage, "learner", "timeLogEntryUpdate", id=made["id"], input=asked)
    assert await stage.trail() == ["timeLogEntryAdd", "timeLogEntryUpdate"]
    for learner in (stage.cy, "Learner_999"):
        moved = {**asked, "learnerId": learner}
        for who in ("learner", "master"):
            assert await faults(stage, who, "timeLogEntryUpdate", id=made["id"], input=moved) == {
                "input.learnerId": "INVALID"
            }


async def test_an_entry_is_deleted(stage: Stage) -> None:
    first, second = await add(stage), await add(stage, minutes=30)
    payload = await ask(stage, "learner", "timeLogEntryDelete", id=first["id"])
    assert payload == {
        "deletedId": first["id"], "learner": {"id": stage.ada, "offTheJob": {"actualMinutes": 30}}, "errors": []
    }  # fmt: skip
    assert await faults(stage, "learner", "timeLogEntryDelete", id=first["id"]) == {"id": "NOT_FOUND"}
    await done(stage, "basic", "timeLogEntryDelete", id=second["id"])
    assert await stage.rows(TimeLogEntry) == []


async def test_a_learner_changes_what_they_added_alone(stage: Stage) -> None:
    for id in (await automatic(stage), (await add(stage, "assessor"))["id"]):
        assert await faults(stage, "learner", "timeLogEntryDelete", id=id) == {"id": "NOT_ALLOWED"}
        asked = {"id": id, "input": entry(stage.ada, 5)}
        assert await faults(stage, "learner", "timeLogEntryUpdate", **asked) == {"id": "NOT_ALLOWED"}
        for who in ("assessor", "basic", "master"):
            assert (await done(stage, who, "timeLogEntryUpdate", **asked))["minutes"] == 5


async def test_what_a_session_logged_stays_as_long_as_the_session(stage: Stage) -> None:
    id = await automatic(stage)
    for who in ("assessor", "master"):
        assert await faults(stage, who, "timeLogEntryDelete", id=id) == {"id": "NOT_ALLOWED"}


async def test_nobody_changes_what_is_approved(stage: Stage) -> None:
    id = (await add(stage))["id"]
    await done(stage, "assessor", "timeLogEntryApprove", ids=[id])
    for who in ("learner", "assessor", "basic", "master"):
        assert await faults(stage, who, "timeLogEntryDelete", id=id) == {"id": "NOT_ALLOWED"}
        assert await faults(stage, who, "timeLogEntryUpdate", id=id, input=entry(stage.ada)) == {"id": "NOT_ALLOWED"}


async def test_who_may_do_what(stage: Stage) -> None:
    id = (await add(stage, aimId=stage.aim))["id"]
    asks: list[tuple[str, dict[str, Any]]] = [
        ("timeLogEntryAdd", {"input": entry(stage.ada)}),
        ("timeLogEntryUpdate", {"id": id, "input": entry(stage.ada)}),
        ("timeLogEntryDelete", {"id": id}),
        ("timeLogEntryApprove", {"ids": [id]}),
    ]
    for mutation, asked in asks:
        for who in ("iqa", "manager", "overview"):
            assert await faults(stage, who, mutation, **asked) == {None: "NOT_ALLOWED"}
    for who in ("learner", "basic", "master"):
        assert await faults(stage, who, "timeLogEntryApprove", ids=[id]) == {None: "NOT_ALLOWED"}
    for who in ("other_assessor", "colleague", "cy", "zoe", "foreign_assessor"):
        for mutation, asked in asks[1:3]:
            assert await faults(stage, who, mutation, **asked) == {"id": "NOT_FOUND"}
        assert await faults(stage, who, "timeLogEntryApprove", ids=[id]) == {"ids.0": "NOT_FOUND"}


async def test_entries_are_approved_all_or_none(stage: Stage) -> None:
    first, second = (await add(stage, aimId=stage.aim))["id"], (await add(stage))["id"]
    theirs = (await add(stage, aimId=stage.other_aim))["id"]
    asked = [second, theirs, "TimeLogEntry_999", "x"]
    assert await faults(stage, "assessor", "timeLogEntryApprove", ids=asked) == {
        "ids.1": "NOT_FOUND", "ids.2": "NOT_FOUND", "ids.3": "NOT_FOUND"
    }  # fmt: skip
    assert not any(made.approved_at for made in await stage.rows(TimeLogEntry))
    approved = await done(stage, "assessor", "timeLogEntryApprove", ids=[second, first, second])
    assert [one["id"] for one in approved] == [second, first]
    assert {one["approvedBy"]["name"] for one in approved} == {"Assessor"}
    # Whoever approves again finds it approved, as it was.
    assert await done(stage, "assessor", "timeLogEntryApprove", ids=[second, first]) == approved
    assert (await stage.trail()).count("timeLogEntryApprove") == 1
    assert await faults(stage, "assessor", "timeLogEntryApprove", ids=[]) == {"ids": "REQUIRED"}
    many = [f"TimeLogEntry_{number}" for number in range(1, 102)]
    assert await faults(stage, "assessor", "timeLogEntryApprove", ids=many) == {"ids": "INVALID"}


async def test_approvals_at_once_meet_without_standing_in_each_others_way(stage: Stage) -> None:
    made = [(await add(stage, minutes=1))["id"] for _ in range(6)]
    orders = [made, made[::-1]] * 10
    payloads = await asyncio.gather(*(ask(stage, "assessor", "timeLogEntryApprove", ids=order) for order in orders))
    assert all(one["errors"] == [] for one in payloads)
    assert len({row.approved_at for row in await stage.rows(TimeLogEntry)}) == 1


@pytest.mark.parametrize("change", ["timeLogEntryUpdate", "timeLogEntryDelete"])
async def test_a_change_that_races_the_approval_comes_before_it_or_not_at_all(stage: Stage, change: str) -> None:
    id = (await add(stage))["id"]
    more = {"input": entry(stage.ada, 61)} if change == "timeLogEntryUpdate" else {}
    changed, approved = await asyncio.gather(
        ask(stage, "learner", change, id=id, **more), ask(stage, "assessor", "timeLogEntryApprove", ids=[id])
    )
    codes = {error["code"] for error in changed["errors"]}
    rows = await stage.rows(TimeLogEntry)
    if codes:
        assert codes == {"NOT_ALLOWED"} and [row.minutes for row in rows] == [60] and rows[0].approved_at
    elif change == "timeLogEntryDelete":
        assert rows == [] and [error["code"] for error in approved["errors"]] == ["NOT_FOUND"]
    else:
        assert [row.minutes for row in rows] == [61] and approved["errors"] == []
