"""The assessor sets, changes and completes actions; the learner responds."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from db.models.action import Action, ActionFile
from db.models.learner import Learner
from domain import clock
from domain import global_id as ids
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


def day(ahead: int) -> str:
    return (clock.today() + dt.timedelta(days=ahead)).isoformat()


def setting(learner: str, **changes: Any) -> dict[str, Any]:
    words = {"kind": "ACTION", "title": " Read  chapter 3 ", "description": "Make notes", "targetDate": day(7)}
    return {"learnerId": learner, **words, **changes}


async def set_one(scenario: EmptyPortfolio, who: str = "assessor", **changes: Any) -> dict[str, Any]:
    return await scenario.client(who).mutate("actionSet", input=setting(scenario.ada, **changes))


async def session_of(scenario: EmptyPortfolio, learner: str, assessor: str) -> str:
    async with scenario.database.writing() as session:
        entity = await session.get_one(Learner, ids.decode("Learner", learner))
        made = await Factory(session).session_of(entity, scenario.user(assessor), clock.now())
    return ids.encode("Session", made.id)


async def test_an_action_is_set_with_its_files(scenario: EmptyPortfolio) -> None:
    session_id, file_id = await session_of(scenario, scenario.ada, "assessor"), await scenario.upload("assessor")
    asked = {"sessionId": session_id, "aimId": scenario.aim, "fileIds": [file_id], "acceptsEvidence": True}
    made = await set_one(scenario, **asked, targetDate=day(0))
    assert (made["title"], made["status"], made["overdue"]) == ("Read chapter 3", "OUTSTANDING", False)
    # The session has outstanding actions now.
    assert made["session"] == {"id": session_id, "hasOutstandingActions": True}
    assert (made["aim"]["id"], made["acceptsEvidence"]) == (scenario.aim, True)
    assert [file["id"] for file in made["files"]] == [file_id]
    file = await scenario.file(file_id)
    assert (ids.encode("Learner", file.learner_id), ids.encode("Aim", file.aim_id)) == (scenario.ada, scenario.aim)
    plain = await set_one(scenario, "master", kind="ACTIVITY")
    assert (plain["session"], plain["aim"], plain["acceptsEvidence"]) == (None, None, False)


async def test_all_errors_are_reported_together(scenario: EmptyPortfolio) -> None:
    cys = await session_of(scenario, scenario.cy, "other_assessor")
    asked = setting(
        scenario.ada,
        title=" ",
        description="",
        targetDate=day(-1),
        sessionId=cys,
        aimId=scenario.other_aim,
        fileIds=["x"],
    )
    assert await scenario.client("assessor").user_errors("actionSet", input=asked) == {
        "input.title": "REQUIRED",
        "input.description": "REQUIRED",
        "input.targetDate": "INVALID",
        "input.sessionId": "NOT_FOUND",
        "input.aimId": "NOT_FOUND",
        "input.fileIds.0": "NOT_FOUND",
    }
    # Records that a Master Admin sees but that belong to another learner.
    asked = setting(scenario.ada, sessionId=cys, aimId=scenario.cys_aim)
    assert await scenario.client("master").user_errors("actionSet", input=asked) == {
        "input.sessionId": "INVALID", "input.aimId": "INVALID"
    }  # fmt: skip
    assert await scenario.rows(Action) == []


async def test_permissions_by_role(scenario: EmptyPortfolio) -> None:
    made = await set_one(scenario, aimId=scenario.aim)
    asks: list[tuple[str, dict[str, Any], set[str]]] = [
        ("actionUpdate", {"input": {"title": "Read"}}, {"assessor", "master"}),
        ("actionRespond", {"input": {"learnerFeedback": "Read it"}}, {"assessor", "learner"}),
        ("actionComplete", {}, {"assessor", "master"}),
        ("actionReopen", {}, {"assessor", "master"}),
    ]
    for mutation, more, may in asks:
        for who in ("learner", "assessor", "iqa", "manager", "overview", "basic", "master"):
            if who in may:
                await scenario.client(who).mutate(mutation, id=made["id"], **more)
            else:
                assert await scenario.client(who).user_errors(mutation, id=made["id"], **more) == {None: "NOT_ALLOWED"}
        for who in ("other_assessor", "colleague", "cy", "zoe", "foreign_assessor"):
            assert await scenario.client(who).user_errors(mutation, id=made["id"], **more) == {"id": "NOT_FOUND"}
        assert await scenario.client("assessor").user_errors(mutation, id="Action_999", **more) == {"id": "NOT_FOUND"}
    for who in ("learner", "iqa", "manager", "overview", "basic"):
        assert await scenario.client(who).user_errors("actionSet", input=setting(scenario.ada)) == {None: "NOT_ALLOWED"}
    for who in ("colleague", "cy", "foreign_assessor"):
        assert await scenario.client(who).user_errors("actionSet", input=setting(scenario.ada)) == {
            "input.learnerId": "NOT_FOUND"
        }


async def test_an_action_is_answered_completed_and_reopened(scenario: EmptyPortfolio) -> None:
    session_id = await session_of(scenario, scenario.ada, "assessor")
    id = (await set_one(scenario, sessionId=session_id))["id"]
    answer = {"learnerFeedback": "Read it twice", "minutesSpent": 45}
    made = await scenario.client("learner").mutate("actionRespond", id=id, input=answer)
    assert (made["status"], made["learnerFeedback"], made["minutesSpent"]) == ("IN_PROGRESS", "Read it twice", 45)
    assert made["learnerSubmittedAt"] and made["session"]["hasOutstandingActions"] is True
    made = await scenario.client("learner").mutate("actionRespond", id=id, input={"learnerFeedback": "And again"})
    assert (made["learnerFeedback"], made["minutesSpent"]) == ("And again", 45)
    made = await scenario.client("assessor").mutate("actionComplete", id=id)
    assert (made["status"], made["completedBy"]["name"]) == ("COMPLETE", "Assessor")
    assert made["session"]["hasOutstandingActions"] is False
    # Completing again changes nothing, also by another user.
    again = await scenario.client("master").mutate("actionComplete", id=id)
    # An admin sees the learner's other aim too.
    assert {**again, "learner": made["learner"]} == made
    for who, mutation, asked in (
        ("learner", "actionRespond", answer), ("assessor", "actionUpdate", {"title": "Read"})
    ):  # fmt: skip
        assert await scenario.client(who).user_errors(mutation, id=id, input=asked) == {"id": "CONFLICT"}
    for _ in range(2):
        made = await scenario.client("assessor").mutate("actionReopen", id=id)
        assert (made["status"], made["completedBy"], made["completedAt"]) == ("IN_PROGRESS", None, None)
    assert await scenario.audit_trail() == [
        "actionSet",
        "actionRespond",
        "actionRespond",
        "actionComplete",
        "actionReopen",
    ]


async def test_an_action_reopened_without_a_response_is_outstanding(scenario: EmptyPortfolio) -> None:
    id = (await set_one(scenario))["id"]
    await scenario.client("assessor").mutate("actionComplete", id=id)
    assert (await scenario.client("assessor").mutate("actionReopen", id=id))["status"] == "OUTSTANDING"


async def test_an_open_action_is_changed(scenario: EmptyPortfolio) -> None:
    made = await set_one(scenario, aimId=scenario.aim)
    file_id = await scenario.upload("master")
    changes = {"title": "Read on", "targetDate": day(9), "addFileIds": [file_id]}
    changed = await scenario.client("master").mutate("actionUpdate", id=made["id"], input=changes)
    assert (changed["title"], changed["targetDate"], changed["description"]) == ("Read on", day(9), "Make notes")
    assert [file["id"] for file in changed["files"]] == [file_id]
    await scenario.client("master").mutate("actionUpdate", id=made["id"], input=changes)
    assert len(await scenario.rows(ActionFile)) == 1 and await scenario.audit_trail() == ["actionSet", "actionUpdate"]
    asked = {"targetDate": day(-1), "description": " ", "addFileIds": ["File_999"]}
    assert await scenario.client("master").user_errors("actionUpdate", id=made["id"], input=asked) == {
        "input.targetDate": "INVALID",
        "input.description": "REQUIRED",
        "input.addFileIds.0": "NOT_FOUND",
    }


async def test_an_overdue_action_is_changed_without_moving_it(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        past = clock.today() - dt.timedelta(days=3)
        made = await Factory(session).action(ada, scenario.user("assessor"), target_date=past)
    id = ids.encode("Action", made.id)
    asked = {"title": "Hurry", "targetDate": past.isoformat()}
    changed = await scenario.client("assessor").mutate("actionUpdate", id=id, input=asked)
    assert (changed["title"], changed["overdue"]) == ("Hurry", True)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"learnerFeedback": " "}, {"input.learnerFeedback": "REQUIRED"}),
        ({"learnerFeedback": "x", "minutesSpent": -1}, {"input.minutesSpent": "INVALID"}),
        ({"learnerFeedback": "x", "minutesSpent": 10_081}, {"input.minutesSpent": "INVALID"}),
    ],
)
async def test_a_response_has_feedback_and_minutes(
    scenario: EmptyPortfolio, answer: dict[str, Any], fault: dict[str, str]
) -> None:
    id = (await set_one(scenario))["id"]
    assert await scenario.client("learner").user_errors("actionRespond", id=id, input=answer) == fault
    good = {"learnerFeedback": "x", "minutesSpent": 10_080}
    assert (await scenario.client("learner").mutate("actionRespond", id=id, input=good))["minutesSpent"] == 10_080


async def test_a_response_concurrent_with_completion_is_stored_or_rejected(scenario: EmptyPortfolio) -> None:
    id = (await set_one(scenario))["id"]
    answers = [
        scenario.client("learner").payload("actionRespond", id=id, input={"learnerFeedback": f"Answer {number}"})
        for number in range(8)
    ]
    *answered, completed = await asyncio.gather(*answers, scenario.client("assessor").payload("actionComplete", id=id))
    assert completed["action"]["status"] == "COMPLETE"
    assert {error["code"] for one in answered for error in one["errors"]} <= {"CONFLICT"}
    (made,) = await scenario.rows(Action)
    assert made.status.value == "COMPLETE"
    # Each stored response is audited before the completion.
    kept = sum(one["action"] is not None for one in answered)
    assert await scenario.audit_trail() == ["actionSet", *["actionRespond"] * kept, "actionComplete"]
