"""Actions: set and changed by the assessor, answered by the learner, completed by the assessor alone."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from db.models.action import Action, ActionFile
from db.models.learner import Learner
from domain import clock
from domain import global_id as ids
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage
from tests.support.factories import Factory


def day(ahead: int) -> str:
    return (clock.today() + dt.timedelta(days=ahead)).isoformat()


def setting(learner: str, **changes: Any) -> dict[str, Any]:
    words = {"kind": "ACTION", "title": " Read  chapter 3 ", "description": "Make notes", "targetDate": day(7)}
    return {"learnerId": learner, **words, **changes}


async def set_one(stage: Stage, who: str = "assessor", **changes: Any) -> dict[str, Any]:
    return await done(stage, who, "actionSet", input=setting(stage.ada, **changes))


async def session_of(stage: Stage, learner: str, assessor: str) -> str:
    async with stage.database.writing() as session:
        entity = await session.get_one(Learner, ids.decode("Learner", learner))
        made = await Factory(session).session_of(entity, stage.user(assessor), clock.now())
    return ids.encode("Session", made.id)


async def test_an_action_is_set_with_its_files(stage: Stage) -> None:
    session_id, file_id = await session_of(stage, stage.ada, "assessor"), await stage.upload("assessor")
    asked = {"sessionId": session_id, "aimId": stage.aim, "fileIds": [file_id], "acceptsEvidence": True}
    made = await set_one(stage, **asked, targetDate=day(0))
    assert (made["title"], made["status"], made["overdue"]) == ("Read chapter 3", "OUTSTANDING", False)
    # The bubble turns red with it.
    assert made["session"] == {"id": session_id, "hasOutstandingActions": True}
    assert (made["aim"], made["files"], made["acceptsEvidence"]) == ({"id": stage.aim}, [{"id": file_id}], True)
    file = await stage.file(file_id)
    assert (ids.encode("Learner", file.learner_id), ids.encode("Aim", file.aim_id)) == (stage.ada, stage.aim)
    plain = await set_one(stage, "master", kind="ACTIVITY")
    assert (plain["session"], plain["aim"], plain["acceptsEvidence"]) == (None, None, False)


async def test_several_faults_come_back_together(stage: Stage) -> None:
    cys = await session_of(stage, stage.cy, "other_assessor")
    asked = setting(
        stage.ada, title=" ", description="", targetDate=day(-1), sessionId=cys, aimId=stage.other_aim, fileIds=["x"]
    )
    assert await faults(stage, "assessor", "actionSet", input=asked) == {
        "input.title": "REQUIRED",
        "input.description": "REQUIRED",
        "input.targetDate": "INVALID",
        "input.sessionId": "NOT_FOUND",
        "input.aimId": "NOT_FOUND",
        "input.fileIds.0": "NOT_FOUND",
    }
    # What a Master Admin sees, but is another learner's.
    asked = setting(stage.ada, sessionId=cys, aimId=stage.cys_aim)
    assert await faults(stage, "master", "actionSet", input=asked) == {
        "input.sessionId": "INVALID", "input.aimId": "INVALID"
    }  # fmt: skip
    assert await stage.rows(Action) == []


async def test_who_may_do_what(stage: Stage) -> None:
    made = await set_one(stage, aimId=stage.aim)
    asks: list[tuple[str, dict[str, Any], set[str]]] = [
        ("actionUpdate", {"input": {"title": "Read"}}, {"assessor", "master"}),
        ("actionRespond", {"input": {"learnerFeedback": "Read it"}}, {"assessor", "learner"}),
        ("actionComplete", {}, {"assessor", "master"}),
        ("actionReopen", {}, {"assessor", "master"}),
    ]
    for mutation, more, may in asks:
        for who in ("learner", "assessor", "iqa", "manager", "overview", "basic", "master"):
            if who in may:
                await done(stage, who, mutation, id=made["id"], **more)
            else:
                assert await faults(stage, who, mutation, id=made["id"], **more) == {None: "NOT_ALLOWED"}
        for who in ("other_assessor", "colleague", "cy", "zoe", "foreign_assessor"):
            assert await faults(stage, who, mutation, id=made["id"], **more) == {"id": "NOT_FOUND"}
        assert await faults(stage, "assessor", mutation, id="Action_999", **more) == {"id": "NOT_FOUND"}
    for who in ("learner", "iqa", "manager", "overview", "basic"):
        assert await faults(stage, who, "actionSet", input=setting(stage.ada)) == {None: "NOT_ALLOWED"}
    for who in ("colleague", "cy", "foreign_assessor"):
        assert await faults(stage, who, "actionSet", input=setting(stage.ada)) == {"input.learnerId": "NOT_FOUND"}


async def test_an_action_goes_its_way(stage: Stage) -> None:
    session_id = await session_of(stage, stage.ada, "assessor")
    id = (await set_one(stage, sessionId=session_id))["id"]
    answer = {"learnerFeedback": "Read it twice", "minutesSpent": 45}
    made = await done(stage, "learner", "actionRespond", id=id, input=answer)
    assert (made["status"], made["learnerFeedback"], made["minutesSpent"]) == ("IN_PROGRESS", "Read it twice", 45)
    assert made["learnerSubmittedAt"] and made["session"]["hasOutstandingActions"] is True
    made = await done(stage, "learner", "actionRespond", id=id, input={"learnerFeedback": "And again"})
    assert (made["learnerFeedback"], made["minutesSpent"]) == ("And again", 45)
    made = await done(stage, "assessor", "actionComplete", id=id)
    assert (made["status"], made["completedBy"]) == ("COMPLETE", {"name": "Assessor"})
    assert made["session"]["hasOutstandingActions"] is False
    # Completing again changes nothing, whoever does.
    assert await done(stage, "master", "actionComplete", id=id) == made
    for who, mutation, asked in (
        ("learner", "actionRespond", answer), ("assessor", "actionUpdate", {"title": "Read"})
    ):  # fmt: skip
        assert await faults(stage, who, mutation, id=id, input=asked) == {"id": "CONFLICT"}
    for _ in range(2):
        made = await done(stage, "assessor", "actionReopen", id=id)
        assert (made["status"], made["completedBy"], made["completedAt"]) == ("IN_PROGRESS", None, None)
    assert await stage.trail() == ["actionSet", "actionRespond", "actionRespond", "actionComplete", "actionReopen"]


async def test_reopened_without_an_answer_it_is_outstanding(stage: Stage) -> None:
    id = (await set_one(stage))["id"]
    await done(stage, "assessor", "actionComplete", id=id)
    assert (await done(stage, "assessor", "actionReopen", id=id))["status"] == "OUTSTANDING"


async def test_an_open_action_is_changed(stage: Stage) -> None:
    made = await set_one(stage, aimId=stage.aim)
    file_id = await stage.upload("master")
    changes = {"title": "Read on", "targetDate": day(9), "addFileIds": [file_id]}
    changed = await done(stage, "master", "actionUpdate", id=made["id"], input=changes)
    assert (changed["title"], changed["targetDate"], changed["description"]) == ("Read on", day(9), "Make notes")
    assert changed["files"] == [{"id": file_id}]
    await done(stage, "master", "actionUpdate", id=made["id"], input=changes)
    assert len(await stage.rows(ActionFile)) == 1 and await stage.trail() == ["actionSet", "actionUpdate"]
    asked = {"targetDate": day(-1), "description": " ", "addFileIds": ["File_999"]}
    assert await faults(stage, "master", "actionUpdate", id=made["id"], input=asked) == {
        "input.targetDate": "INVALID",
        "input.description": "REQUIRED",
        "input.addFileIds.0": "NOT_FOUND",
    }


async def test_an_overdue_action_is_changed_without_moving_it(stage: Stage) -> None:
    async with stage.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", stage.ada))
        past = clock.today() - dt.timedelta(days=3)
        made = await Factory(session).action(ada, stage.user("assessor"), target_date=past)
    id = ids.encode("Action", made.id)
    asked = {"title": "Hurry", "targetDate": past.isoformat()}
    changed = await done(stage, "assessor", "actionUpdate", id=id, input=asked)
    assert (changed["title"], changed["overdue"]) == ("Hurry", True)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"learnerFeedback": " "}, {"input.learnerFeedback": "REQUIRED"}),
        ({"learnerFeedback": "x", "minutesSpent": -1}, {"input.minutesSpent": "INVALID"}),
        ({"learnerFeedback": "x", "minutesSpent": 10_081}, {"input.minutesSpent": "INVALID"}),
    ],
)
async def test_an_answer_has_words_and_minutes(stage: Stage, answer: dict[str, Any], fault: dict[str, str]) -> None:
    id = (await set_one(stage))["id"]
    assert await faults(stage, "learner", "actionRespond", id=id, input=answer) == fault
    good = {"learnerFeedback": "x", "minutesSpent": 10_080}
    assert (await done(stage, "learner", "actionRespond", id=id, input=good))["minutesSpent"] == 10_080


async def test_an_answer_that_races_the_completion_is_kept_or_refused(stage: Stage) -> None:
    id = (await set_one(stage))["id"]
    answers = [
        ask(stage, "learner", "actionRespond", id=id, input={"learnerFeedback": f"Answer {number}"})
        for number in range(8)
    ]
    *answered, completed = await asyncio.gather(*answers, ask(stage, "assessor", "actionComplete", id=id))
    assert completed["action"]["status"] == "COMPLETE"
    assert {error["code"] for one in answered for error in one["errors"]} <= {"CONFLICT"}
    (made,) = await stage.rows(Action)
    assert made.status.value == "COMPLETE"
    # Each that went through is on record, before the completion.
    kept = sum(one["action"] is not None for one in answered)
    assert await stage.trail() == ["actionSet", *["actionRespond"] * kept, "actionComplete"]
