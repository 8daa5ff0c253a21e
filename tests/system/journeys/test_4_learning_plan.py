"""Journey 4: sessions are booked and completed, actions set, answered and closed; the bubble turns, the KPIs follow."""

import datetime as dt
from typing import Any

from domain import clock
from services.demo import sample_files as files
from tests.support.client import Actor, Cast
from tests.support.lookup import STANDARD, aim_of, learner_id
from tests.support.smtp_server import Post


def times(days: float, minutes: int = 60) -> dict[str, str]:
    """So many days from now, counted from ten in the morning for what is to come, so that a test is the same all day."""
    now = clock.now()
    # Half a minute past, so that an hour counted in parts of a day is that hour.
    counted_from = now.replace(hour=10, minute=0, second=30) if days > 0 else now
    starts = (counted_from + dt.timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    return {"startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(minutes=minutes)).isoformat()}


async def sent(person: Actor, title: str = "Handout: handling batteries") -> str:
    sample = files.pdf(title)
    return await person.upload(sample.name, sample.content_type, sample.content)


async def learner_with_a_tutor(cast: Cast) -> tuple[Actor, Actor, str]:
    """A learner whom two assessors see: the training adviser, and a tutor for one of the components."""
    assessor, tutor = await cast("assessor"), await cast("anjali.desai")
    pages = [await who.data("{ learners(first: 100) { nodes { id } } }") for who in (assessor, tutor)]
    mine, theirs = ({one["id"] for one in page["learners"]["nodes"]} for page in pages)
    return assessor, tutor, min(mine & theirs)


async def test_nobody_is_booked_twice(cast: Cast, post: Post):
    assessor, tutor, shared = await learner_with_a_tutor(cast)
    maya = await learner_id(assessor, "Maya Thornton")
    at = times(71)
    booking: dict[str, Any] = {"learnerId": maya, "type": "GENERAL", **at, "planningNotes": "Bring your torque log."}
    session = await assessor.do("sessionBook", input=booking)
    assert (session["status"], session["planningNotes"], session["assessor"]["name"]) == (
        "PLANNED", "Bring your torque log.", "Priya Raman"
    )  # fmt: skip
    message = await post.to("learner@northmoor.example", "Session on")
    assert f"Session {session['number']} with Priya Raman" in message.get_content()

    # The assessor at the same time with another learner; then a learner at the same time with another assessor.
    clash = await assessor.refusal("sessionBook", input={**booking, "learnerId": shared, **times(71.02)})
    assert clash == ("CONFLICT", "input.startsAt")
    await assessor.do("sessionBook", input={**booking, "learnerId": shared, **times(72)})
    clash = await tutor.refusal("sessionBook", input={**booking, "learnerId": shared, **times(72)})
    assert clash == ("CONFLICT", "input.startsAt")
    # One after the other is fine, and so is moving to where nobody is.
    later = await tutor.do("sessionBook", input={**booking, "learnerId": shared, **times(72 + 1 / 24)})
    moving = {"type": None, **times(72), "location": None, "planningNotes": None, "addFileIds": None}
    assert await tutor.refusal("sessionUpdate", id=later["id"], input=moving) == ("CONFLICT", "input.startsAt")
    moved = await tutor.do("sessionUpdate", id=later["id"], input={**times(73), "location": "Workshop 2"})
    assert (moved["location"], moved["startsAt"][:16]) == ("Workshop 2", times(73)["startsAt"][:16])
    cancelled = await tutor.do("sessionCancel", id=later["id"])
    assert cancelled["status"] == "CANCELLED"
    assert await tutor.refusal("sessionUpdate", id=later["id"], input={"location": "Workshop 3"}) == ("CONFLICT", "id")
    assert await (await cast("iqa")).refusal("sessionCancel", id=session["id"]) == ("NOT_ALLOWED", None)
    assert await assessor.refusal("sessionComplete", id=session["id"], input={"attended": True}) == (
        "INVALID", "input.attended"
    )  # fmt: skip


async def test_actions_are_set_answered_and_closed_and_the_bubble_turns(cast: Cast):
    learner, assessor, manager = await cast("learner"), await cast("assessor"), await cast("employer.manager")
    maya = await learner_id(assessor, "Maya Thornton")
    before = await manager.kpis()
    booking = {"learnerId": maya, "type": "FORMAL_REVIEW", **times(-0.2), "aimIds": None}
    session = await assessor.do("sessionBook", input=booking)
    assert session["hasOutstandingActions"] is False

    soon = (clock.today() + dt.timedelta(days=14)).isoformat()
    asked = {
        "learnerId": maya, "sessionId": session["id"], "kind": "ACTIVITY", "title": "Read the handout",
        "description": "Pages 1 to 3, then the questions.", "targetDate": soon, "acceptsEvidence": True,
        "aimId": (await aim_of(assessor, maya, STANDARD))["id"], "fileIds": [await sent(assessor)],
    }  # fmt: skip
    assert await learner.refusal("actionSet", input=asked) == ("NOT_ALLOWED", None)
    yesterday = (clock.today() - dt.timedelta(days=1)).isoformat()
    faults = await assessor.refusals("actionSet", input={**asked, "title": "", "targetDate": yesterday})
    assert faults == [("REQUIRED", "input.title"), ("INVALID", "input.targetDate")]
    action = await assessor.do("actionSet", input=asked)
    assert (action["status"], action["session"]["hasOutstandingActions"]) == ("OUTSTANDING", True)
    assert (await manager.kpis())["outstandingActionCount"] == before["outstandingActionCount"] + 1
    assert (await learner.download(action["files"][0]["id"]))[:5] == b"%PDF-"
    # An employer sees what was set, and changes nothing of it.
    assert (await manager.seen("Action", action["id"]))["title"] == "Read the handout"
    assert await manager.refusal("actionComplete", id=action["id"]) == ("NOT_ALLOWED", None)
    action = await assessor.do("actionUpdate", id=action["id"], input={"title": "Read the handout twice"})
    assert action["title"] == "Read the handout twice"

    answer = {"learnerFeedback": "Done; question 3 was hard.", "minutesSpent": 75}
    action = await learner.do("actionRespond", id=action["id"], input=answer)
    assert (action["status"], action["minutesSpent"], bool(action["learnerSubmittedAt"])) == ("IN_PROGRESS", 75, True)
    assert await learner.refusal("actionComplete", id=action["id"]) == ("NOT_ALLOWED", None)
    # In progress is still to be done.
    assert action["session"]["hasOutstandingActions"] is True
    action = await assessor.do("actionComplete", id=action["id"])
    assert (action["status"], action["completedBy"]["name"]) == ("COMPLETE", "Priya Raman")
    assert action["session"]["hasOutstandingActions"] is False
    assert (await manager.kpis())["outstandingActionCount"] == before["outstandingActionCount"]
    assert await learner.refusal("actionRespond", id=action["id"], input=answer) == ("CONFLICT", "id")
    action = await assessor.do("actionReopen", id=action["id"])
    assert (action["status"], action["session"]["hasOutstandingActions"]) == ("IN_PROGRESS", True)
    action = await assessor.do("actionComplete", id=action["id"])

    # Afterwards: feedback and files; what the learner was given stays in the plan.
    said = {
        "attended": True,
        "feedback": "A good quarter.",
        "fileIds": [await sent(assessor, "12-week progress review")],
    }
    session = await assessor.do("sessionComplete", id=session["id"], input=said)
    assert (session["status"], session["feedback"], len(session["files"])) == ("ATTENDED", "A good quarter.", 1)
    session = await assessor.do("sessionUpdate", id=session["id"], input={"addFileIds": [await sent(assessor)]})
    assert len(session["files"]) == 2
    assert (await learner.seen("Session", session["id"]))["feedback"] == "A good quarter."
    otherwise = await assessor.refusal("sessionComplete", id=session["id"], input={"attended": False})
    assert otherwise == ("CONFLICT", "id")

    admin = await cast("master.admin")
    assert await admin.trail(action["id"]) == [
        ("actionComplete", "Priya Raman"), ("actionReopen", "Priya Raman"), ("actionComplete", "Priya Raman"),
        ("actionRespond", "Maya Thornton"), ("actionUpdate", "Priya Raman"), ("actionSet", "Priya Raman"),
    ]  # fmt: skip
    assert await admin.trail(session["id"]) == [
        ("sessionUpdate", "Priya Raman"), ("sessionComplete", "Priya Raman"), ("sessionBook", "Priya Raman")
    ]  # fmt: skip


async def test_evidence_answers_an_action(cast: Cast):
    learner, assessor = await cast("learner"), await cast("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of(assessor, maya, STANDARD)
    asked = {
        "learnerId": maya, "aimId": aim["id"], "kind": "ACTION", "title": "Show your log", "description": "All of it.",
        "targetDate": clock.today().isoformat(),
    }  # fmt: skip
    closed = await assessor.do("actionSet", input=asked)
    open_ = await assessor.do("actionSet", input={**asked, "acceptsEvidence": True})
    submission = {
        "aimId": aim["id"], "fileId": await sent(learner, "Brake bleed log"), "title": "My log", "description": "It.",
        "declareOwnWork": True, "password": "waymark-demo",
    }  # fmt: skip
    refused = await learner.refusal("evidenceSubmit", input={**submission, "actionId": closed["id"]})
    assert refused == ("INVALID", "input.actionId")
    evidence = await learner.do("evidenceSubmit", input={**submission, "actionId": open_["id"]})
    assert (await assessor.seen("Action", open_["id"]))["evidence"] == [{"id": evidence["id"], "status": "SUBMITTED"}]
