"""A review is started for a formal review session, and each party says what they think until it is issued."""

import asyncio
import datetime as dt
import io

from pypdf import PdfReader
from sqlalchemy import select

from db.models.employer import Employer
from db.models.review import Review, ReviewAnswer
from db.models.user import User
from domain import clock
from domain.enums import SessionStatus, SessionType
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.scenarios.reviewed_portfolio import SIGNERS, answered, issued, review_session, started


async def test_a_review_of_a_session_is_started_once(scenario: EmptyPortfolio) -> None:
    session = await review_session(scenario)
    assessor = scenario.client("assessor")
    made = await asyncio.gather(*(assessor.mutate("reviewStart", sessionId=session) for _ in range(4)))
    assert len({review["id"] for review in made}) == 1 == len(await scenario.rows(Review))
    review = made[0]
    assert (review["number"], review["status"], review["document"], review["slots"]) == (1, "DRAFT", None, [])
    assert review["heldOn"] == (clock.today() - dt.timedelta(days=1)).isoformat()
    assert review["session"] == {"id": session, "review": {"id": review["id"]}}
    assert (await scenario.audit_trail()).count("reviewStart") == 1


async def test_it_covers_the_time_since_the_last_review_and_looks_at_its_actions(scenario: EmptyPortfolio) -> None:
    first_day = clock.today() - dt.timedelta(days=100)
    earlier, session = await review_session(scenario, 40), await review_session(scenario, 1)
    assessor = scenario.client("assessor")
    due = (clock.today() + dt.timedelta(days=9)).isoformat()
    for title, set_in in (("Read the manual", earlier), ("True a wheel", session)):
        input = {
            "learnerId": scenario.ada, "sessionId": set_in, "kind": "ACTION", "title": title, "description": "All.",
            "targetDate": due,
        }  # fmt: skip
        await assessor.mutate("actionSet", input=input)
    first = await assessor.mutate("reviewStart", sessionId=earlier)
    assert (first["coversFrom"], first["previousActions"]) == (first_day.isoformat(), [])
    second = await assessor.mutate("reviewStart", sessionId=session)
    assert (second["number"], second["coversFrom"]) == (2, (clock.today() - dt.timedelta(days=39)).isoformat())
    assert [each["title"] for each in second["previousActions"]] == ["Read the manual"]
    assert [each["title"] for each in second["actions"]] == ["True a wheel"]
    assert second["figures"]["outstandingActionCount"] == 2


async def test_only_a_formal_review_that_was_not_missed_has_a_review(scenario: EmptyPortfolio) -> None:
    assessor = scenario.client("assessor")
    visit = await review_session(scenario, type=SessionType.GENERAL)
    assert await assessor.user_errors("reviewStart", sessionId=visit) == {"sessionId": "INVALID"}
    for days, status in ((2, SessionStatus.CANCELLED), (3, SessionStatus.NOT_ATTENDED)):
        missed = await review_session(scenario, days, status=status)
        assert await assessor.user_errors("reviewStart", sessionId=missed) == {"sessionId": "CONFLICT"}
    planned = await review_session(scenario, -3, status=SessionStatus.PLANNED)
    assert (await assessor.mutate("reviewStart", sessionId=planned))["status"] == "DRAFT"
    session = await review_session(scenario, about=(scenario.aim,))
    for who in ("learner", "manager", "overview", "iqa", "basic", "master"):
        assert await scenario.client(who).user_errors("reviewStart", sessionId=session) == {None: "NOT_ALLOWED"}
    for who in ("other_assessor", "cy", "colleague", "foreign_assessor"):
        assert await scenario.client(who).user_errors("reviewStart", sessionId=session) == {"sessionId": "NOT_FOUND"}


async def test_each_party_answers_in_their_own_words(scenario: EmptyPortfolio) -> None:
    review = await answered(scenario)
    found = await scenario.client("iqa").read("Review", review)
    assert [each["role"] for each in found["answers"]] == ["LEARNER", "ASSESSOR", "EMPLOYER_MANAGER"]
    assert [each["progressSinceLast"] for each in found["answers"]] == [f"{who} is content." for who in SIGNERS]
    learner = scenario.client("learner")
    changed = await learner.mutate(
        "reviewAnswer", id=review, input={"concerns": " Time\u000bfor it ", "nextSteps": None}
    )
    assert changed["answers"][0] | {"answeredBy": None} == {
        "role": "LEARNER", "answeredBy": None, "progressSinceLast": "learner is content.", "concerns": "Time\nfor it",
        "changesToPlan": None, "nextSteps": None,
    }  # fmt: skip
    lines = await scenario.audit_trail()
    assert await learner.mutate("reviewAnswer", id=review, input={"concerns": "Time\nfor it"}) == changed
    assert await scenario.audit_trail() == lines


async def test_the_assessor_says_whether_the_employer_took_part(scenario: EmptyPortfolio) -> None:
    review = await started(scenario)
    attended = {"employerAttendance": "ATTENDED"}
    made = await scenario.client("assessor").mutate("reviewAnswer", id=review, input=attended)
    assert (made["employerAttendance"], made["answers"]) == ("ATTENDED", [])
    refused = await scenario.client("manager").user_errors("reviewAnswer", id=review, input=attended)
    assert refused == {"input.employerAttendance": "NOT_ALLOWED"}
    # Who of the employer contributed is who answered.
    await scenario.client("manager").mutate("reviewAnswer", id=review, input={"concerns": "None."})
    contributed = {"employerAttendance": "CONTRIBUTED", "concerns": "None."}
    made = await scenario.client("assessor").mutate("reviewAnswer", id=review, input=contributed)
    (said,) = [each for each in made["answers"] if each["role"] == "EMPLOYER_MANAGER"]
    assert said["answeredBy"]["id"] == f"User_{scenario.user('manager').id}"
    issued = await scenario.client("assessor").mutate("reviewIssue", id=review)
    assert issued["employerAttendance"] == "CONTRIBUTED"
    file = await scenario.file(issued["document"]["id"])
    pdf = b"".join([chunk async for chunk in scenario.services.files.read(file.storage_key)])
    text = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "Contributed beforehand or afterwards" in text and scenario.user("manager").name in text


async def test_answers_that_are_refused(scenario: EmptyPortfolio) -> None:
    review = await started(scenario)
    said = {"concerns": "None."}
    for who in ("basic", "master", "iqa"):
        assert await scenario.client(who).user_errors("reviewAnswer", id=review, input=said) == {None: "NOT_ALLOWED"}
    for who in ("cy", "colleague", "foreign_assessor"):
        assert await scenario.client(who).user_errors("reviewAnswer", id=review, input=said) == {"id": "NOT_FOUND"}
    manager = scenario.client("manager")
    for nothing in ({}, {"concerns": " "}, {"concerns": None}):
        refused = await manager.user_errors("reviewAnswer", id=review, input=nothing)
        assert refused == {"input.progressSinceLast": "REQUIRED"}
    too_long = {"concerns": "x" * 20_001}
    assert await manager.user_errors("reviewAnswer", id=review, input=too_long) == {"input.concerns": "INVALID"}
    assert await scenario.rows(ReviewAnswer) == []


async def test_one_person_answers_in_one_role_and_one_role_is_one_person(scenario: EmptyPortfolio) -> None:
    review = await answered(scenario, "manager")
    said = {"concerns": "None."}
    assert await scenario.client("second").user_errors("reviewAnswer", id=review, input=said) == {"id": "CONFLICT"}
    user, _, _ = scenario.people["manager"]
    scenario.people["both"] = (user, scenario.people["overview"][1], None)
    async with scenario.database.writing() as session:
        await Factory(session).oversee(user, (await session.scalars(select(Employer))).one())
    assert await scenario.client("both").user_errors("reviewAnswer", id=review, input=said) == {"id": "NOT_ALLOWED"}
    # Who has left cannot add anything, so a colleague goes on.
    async with scenario.database.writing() as session:
        (await session.get_one(User, user.id)).archived_at = clock.now()
    taken_over = await scenario.client("second").mutate("reviewAnswer", id=review, input=said)
    assert taken_over["answers"][0]["answeredBy"]["id"] == f"User_{scenario.user('second').id}"


async def test_an_issued_review_takes_no_words(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    for who in SIGNERS:
        refused = await scenario.client(who).user_errors("reviewAnswer", id=review["id"], input={"concerns": "One."})
        assert refused == {"id": "CONFLICT"}


async def test_the_session_of_a_review_stays_a_formal_review(scenario: EmptyPortfolio) -> None:
    session = await review_session(scenario, -3, status=SessionStatus.PLANNED)
    await started(scenario, session)
    refused = await scenario.client("assessor").user_errors("sessionUpdate", id=session, input={"type": "GENERAL"})
    assert refused == {"input.type": "CONFLICT"}
