"""Journey 9: a progress review from the visit to three signatures, and a sample that takes a sign-off back."""

import datetime as dt
import hashlib
from typing import Any

from domain import clock
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import learner_id, user_id
from tests.support.smtp_server import Post

PARTIES = ("assessor", "learner", "employer.manager")


async def reviewed_session(assessor: HttpClient, days_ago: int) -> str:
    """Books a formal review with Maya in the past, and completes it."""
    starts = clock.now() - dt.timedelta(days=days_ago, hours=6)
    booking = {
        "learnerId": await learner_id(assessor, "Maya Thornton"), "type": "FORMAL_REVIEW",
        "startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    session = await assessor.mutate("sessionBook", input=booking)
    await assessor.mutate("sessionComplete", id=session["id"], input={"attended": True})
    return session["id"]


async def test_a_review_is_answered_issued_signed_and_reopened(clients: Clients, post: Post):
    people = {who: await clients(who) for who in PARTIES}
    assessor, manager = people["assessor"], people["employer.manager"]
    session = await reviewed_session(assessor, 1)
    review = (await assessor.mutate("reviewStart", sessionId=session))["id"]
    for who, person in people.items():
        await person.mutate("reviewAnswer", id=review, input={"progressSinceLast": f"{who} is content."})
    attended = {"employerAttendance": "ATTENDED"}
    draft = await assessor.mutate("reviewAnswer", id=review, input=attended)
    assert [answer["role"] for answer in draft["answers"]] == ["ASSESSOR", "LEARNER", "EMPLOYER_MANAGER"]

    issued = await assessor.mutate("reviewIssue", id=review)
    title = f"Please sign: Progress review {issued['number']}, held on"
    for who in ("learner", "employer.manager"):
        assert "/open/Review_" in (await post.to(f"{who}@northmoor.example", title)).get_content()
    # Everybody reads the very bytes that they sign.
    for person in people.values():
        content = await person.download(issued["document"]["id"])
        assert hashlib.sha256(content).hexdigest() == issued["document"]["sha256"]
    late = {"concerns": "One more."}
    assert await manager.user_errors("reviewAnswer", id=review, input=late) == {"id": "CONFLICT"}

    sign = {"id": review, "documentSha256": issued["document"]["sha256"], "password": PASSWORD}
    for who in ("learner", "employer.manager"):
        signed = await people[who].mutate("reviewSign", **sign)
    assert signed["status"] == "AWAITING_SIGNATURES"
    waiting = "query($role: Role) { reviews(filter: {awaitingRole: $role}) { nodes { id } } }"
    found = {
        role: review in [node["id"] for node in (await assessor.data(waiting, role=role))["reviews"]["nodes"]]
        for role in ("LEARNER", "ASSESSOR", "EMPLOYER_MANAGER")
    }
    assert found == {"LEARNER": False, "ASSESSOR": True, "EMPLOYER_MANAGER": False}
    signed = await assessor.mutate("reviewSign", **sign)
    today = clock.now().date().isoformat()
    assert signed["status"] == "SIGNED" and signed["heldOn"] < today
    assert {slot["signedAt"][:10] for slot in signed["slots"]} == {today}

    refused = await assessor.user_errors("sessionReopen", id=session, reason="The wrong day.")
    assert refused == {"id": "CONFLICT"}
    reopened = await assessor.mutate("reviewReopen", id=review, reason="A target was missing.")
    assert (reopened["status"], reopened["document"]) == ("DRAFT", None)
    assert {slot["withdrawnReason"] for slot in reopened["slots"]} == {"A target was missing."}
    again = await assessor.mutate("reviewIssue", id=review)
    assert [slot["withdrawnAt"] is None for slot in again["slots"]] == [True] * 3 + [False] * 3
    other = await clients("other.provider")
    assert (await other.data("query($id: ID!) { review(id: $id) { id } }", id=review)) == {"review": None}


async def test_a_sample_is_planned_begun_and_rejected(clients: Clients, post: Post):
    admin, iqa, assessor = await clients("master.admin"), await clients("iqa"), await clients("assessor")
    policy = {"aimsPercent": 100, "unitsPercent": 100, "firstUnitsOfNewAssessor": 0}
    await admin.mutate("samplingPolicySave", input=policy)
    plan = {"assessorId": await user_id(iqa, "Priya Raman"), "seed": 2026}
    samples = (await iqa.payload("samplingPlanMake", **plan))["samples"]
    assert samples == (await iqa.payload("samplingPlanMake", **plan))["samples"]
    waiting = [each for each in samples if each["status"] == "PLANNED"]
    sample = next(each for each in waiting if any(_standing(each["unit"])))
    begun = await iqa.mutate("sampleBegin", id=sample["id"])
    finding = {"valid": True, "authentic": True, "current": True, "sufficient": False, "comment": "One photo only."}
    concluded = {"outcome": "REJECTED", "findings": [finding], "actions": ["Ask for another photo."]}
    rejected = await iqa.mutate("sampleConclude", id=begun["id"], input=concluded)
    assert rejected["unit"]["signedOff"] is False and not any(_standing(rejected["unit"]))
    message = await post.to("assessor@northmoor.example", "A sampled unit needs your attention")
    assert "Gareth Pugh has sampled a unit" in message.get_content()
    (action,) = rejected["actions"]
    await assessor.mutate("sampleActionAnswer", id=action["id"], answer="Asked at the last visit.")
    assert "has answered an action" in (await post.to("iqa@northmoor.example")).get_content()
    assert (await iqa.mutate("sampleActionClose", id=action["id"]))["status"] == "CONCLUDED"
    for who in ("learner", "employer.manager"):
        person = await clients(who)
        seen = await person.data("query($id: ID!) { sample(id: $id) { id } samples { totalCount } }", id=sample["id"])
        assert seen == {"sample": None, "samples": {"totalCount": 0}}


def _standing(unit: dict[str, Any]) -> list[bool]:
    """Whether there is a valid signature in each place."""
    return [slot["signedAt"] is not None and slot["withdrawnAt"] is None for slot in unit["signatures"]]
