"""Journey 4: sessions are booked and completed, actions set, answered and completed, and the KPIs follow."""

import datetime as dt
from typing import Any

from domain import clock
from services.demo import sample_files as files
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.lookup import STANDARD, aim_of, learner_id
from tests.support.smtp_server import Post


def times(days: float, minutes: int = 60) -> dict[str, str]:
    """Returns the times of a session in so many days; future ones start at 10:00, so that a test is stable."""
    now = clock.now()
    # Half a minute later, so that rounding does not change the hour.
    counted_from = now.replace(hour=10, minute=0, second=30) if days > 0 else now
    starts = (counted_from + dt.timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    return {"startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(minutes=minutes)).isoformat()}


async def sent(person: HttpClient, title: str = "Handout: handling batteries") -> str:
    sample = files.pdf(title)
    return await person.upload(sample.name, sample.content_type, sample.content)


async def learner_with_a_tutor(clients: Clients) -> tuple[HttpClient, HttpClient, str]:
    """Returns two assessors (of the main aim, and a tutor of another aim) and the id of a learner whom both see."""
    assessor, tutor = await clients("assessor"), await clients("anjali.desai")
    pages = [await who.data("{ learners(first: 100) { nodes { id } } }") for who in (assessor, tutor)]
    mine, theirs = ({one["id"] for one in page["learners"]["nodes"]} for page in pages)
    return assessor, tutor, min(mine & theirs)


async def test_overlapping_sessions_are_rejected(clients: Clients, post: Post):
    assessor, tutor, shared = await learner_with_a_tutor(clients)
    maya = await learner_id(assessor, "Maya Thornton")
    at = times(71)
    booking: dict[str, Any] = {"learnerId": maya, "type": "GENERAL", **at, "planningNotes": "Bring your torque log."}
    session = await assessor.mutate("sessionBook", input=booking)
    assert (session["status"], session["planningNotes"], session["assessor"]["name"]) == (
        "PLANNED", "Bring your torque log.", "Priya Raman"
    )  # fmt: skip
    message = await post.to("learner@northmoor.example", "Session on")
    assert f"Session {session['number']} with Priya Raman" in message.get_body(("plain",)).get_content()

    # The assessor is booked with another learner, then the learner with another assessor.
    clash = await assessor.user_errors("sessionBook", input={**booking, "learnerId": shared, **times(71.02)})
    assert clash == {"input.startsAt": "CONFLICT"}
    await assessor.mutate("sessionBook", input={**booking, "learnerId": shared, **times(72)})
    clash = await tutor.user_errors("sessionBook", input={**booking, "learnerId": shared, **times(72)})
    assert clash == {"input.startsAt": "CONFLICT"}
    # Consecutive sessions are accepted, and so is a move to a free time.
    later = await tutor.mutate("sessionBook", input={**booking, "learnerId": shared, **times(72 + 1 / 24)})
    moving = {"type": None, **times(72), "location": None, "planningNotes": None, "addFileIds": None}
    assert await tutor.user_errors("sessionUpdate", id=later["id"], input=moving) == {"input.startsAt": "CONFLICT"}
    moved = await tutor.mutate("sessionUpdate", id=later["id"], input={**times(73), "location": "Workshop 2"})
    assert (moved["location"], moved["startsAt"][:16]) == ("Workshop 2", times(73)["startsAt"][:16])
    cancelled = await tutor.mutate("sessionCancel", id=later["id"])
    assert cancelled["status"] == "CANCELLED"
    assert await tutor.user_errors("sessionUpdate", id=later["id"], input={"location": "Workshop 3"}) == {
        "id": "CONFLICT"
    }
    assert await (await clients("iqa")).user_errors("sessionCancel", id=session["id"]) == {None: "NOT_ALLOWED"}
    assert await assessor.user_errors("sessionComplete", id=session["id"], input={"attended": True}) == {
        "input.attended": "INVALID"
    }


async def test_actions_are_set_answered_and_completed(clients: Clients):
    learner, assessor, manager = await clients("learner"), await clients("assessor"), await clients("employer.manager")
    maya = await learner_id(assessor, "Maya Thornton")
    before = await manager.kpis()
    booking = {"learnerId": maya, "type": "FORMAL_REVIEW", **times(-0.2), "aimIds": None}
    session = await assessor.mutate("sessionBook", input=booking)
    assert session["hasOutstandingActions"] is False

    soon = (clock.today() + dt.timedelta(days=14)).isoformat()
    asked = {
        "learnerId": maya, "sessionId": session["id"], "kind": "ACTIVITY", "title": "Read the handout",
        "description": "Pages 1 to 3, then the questions.", "targetDate": soon, "acceptsEvidence": True,
        "aimId": (await aim_of(assessor, maya, STANDARD))["id"], "fileIds": [await sent(assessor)],
    }  # fmt: skip
    assert await learner.user_errors("actionSet", input=asked) == {None: "NOT_ALLOWED"}
    yesterday = (clock.today() - dt.timedelta(days=1)).isoformat()
    errors = await assessor.user_errors("actionSet", input={**asked, "title": "", "targetDate": yesterday})
    assert list(errors.items()) == [("input.title", "REQUIRED"), ("input.targetDate", "INVALID")]
    action = await assessor.mutate("actionSet", input=asked)
    assert (action["status"], action["session"]["hasOutstandingActions"]) == ("OUTSTANDING", True)
    assert (await manager.kpis())["outstandingActionCount"] == before["outstandingActionCount"] + 1
    assert (await learner.download(action["files"][0]["id"]))[:5] == b"%PDF-"
    # An employer sees the action but cannot change it.
    assert (await manager.read("Action", action["id"]))["title"] == "Read the handout"
    assert await manager.user_errors("actionComplete", id=action["id"]) == {None: "NOT_ALLOWED"}
    action = await assessor.mutate("actionUpdate", id=action["id"], input={"title": "Read the handout twice"})
    assert action["title"] == "Read the handout twice"

    answer = {"learnerFeedback": "Done; question 3 was hard.", "minutesSpent": 75}
    action = await learner.mutate("actionRespond", id=action["id"], input=answer)
    assert (action["status"], action["minutesSpent"], bool(action["learnerSubmittedAt"])) == ("IN_PROGRESS", 75, True)
    assert await learner.user_errors("actionComplete", id=action["id"]) == {None: "NOT_ALLOWED"}
    # An action in progress still counts as outstanding.
    assert action["session"]["hasOutstandingActions"] is True
    action = await assessor.mutate("actionComplete", id=action["id"])
    assert (action["status"], action["completedBy"]["name"]) == ("COMPLETE", "Priya Raman")
    assert action["session"]["hasOutstandingActions"] is False
    assert (await manager.kpis())["outstandingActionCount"] == before["outstandingActionCount"]
    assert await learner.user_errors("actionRespond", id=action["id"], input=answer) == {"id": "CONFLICT"}
    action = await assessor.mutate("actionReopen", id=action["id"])
    assert (action["status"], action["session"]["hasOutstandingActions"]) == ("IN_PROGRESS", True)
    action = await assessor.mutate("actionComplete", id=action["id"])

    # After the session: feedback and files in the plan.
    said = {
        "attended": True,
        "feedback": "A good quarter.",
        "fileIds": [await sent(assessor, "12-week progress review")],
    }
    session = await assessor.mutate("sessionComplete", id=session["id"], input=said)
    assert (session["status"], session["feedback"], len(session["files"])) == ("ATTENDED", "A good quarter.", 1)
    session = await assessor.mutate("sessionUpdate", id=session["id"], input={"addFileIds": [await sent(assessor)]})
    assert len(session["files"]) == 2
    assert (await learner.read("Session", session["id"]))["feedback"] == "A good quarter."
    otherwise = await assessor.user_errors("sessionComplete", id=session["id"], input={"attended": False})
    assert otherwise == {"id": "CONFLICT"}

    admin = await clients("master.admin")
    assert await admin.audit_trail(action["id"]) == [
        ("actionComplete", "Priya Raman"), ("actionReopen", "Priya Raman"), ("actionComplete", "Priya Raman"),
        ("actionRespond", "Maya Thornton"), ("actionUpdate", "Priya Raman"), ("actionSet", "Priya Raman"),
    ]  # fmt: skip
    assert await admin.audit_trail(session["id"]) == [
        ("sessionUpdate", "Priya Raman"), ("sessionComplete", "Priya Raman"), ("sessionBook", "Priya Raman")
    ]  # fmt: skip


async def test_evidence_is_submitted_for_an_action(clients: Clients):
    learner, assessor = await clients("learner"), await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of(assessor, maya, STANDARD)
    asked = {
        "learnerId": maya, "aimId": aim["id"], "kind": "ACTION", "title": "Show your log", "description": "All of it.",
        "targetDate": clock.today().isoformat(),
    }  # fmt: skip
    closed = await assessor.mutate("actionSet", input=asked)
    open_ = await assessor.mutate("actionSet", input={**asked, "acceptsEvidence": True})
    submission = {
        "aimId": aim["id"], "fileId": await sent(learner, "Brake bleed log"), "title": "My log", "description": "It.",
        "declareOwnWork": True, "password": "waymark-demo",
    }  # fmt: skip
    errors = await learner.user_errors("evidenceSubmit", input={**submission, "actionId": closed["id"]})
    assert errors == {"input.actionId": "INVALID"}
    evidence = await learner.mutate("evidenceSubmit", input={**submission, "actionId": open_["id"]})
    assert (await assessor.read("Action", open_["id"]))["evidence"] == [{"id": evidence["id"], "status": "SUBMITTED"}]
