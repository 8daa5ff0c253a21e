"""A review is issued as a document that keeps its figures, signed by each party once, and reopened."""

import asyncio
import datetime as dt
import hashlib
import io
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.review import ReviewDocument
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock
from domain import global_id as ids
from domain.enums import Role, SessionStatus
from resolvers.exports import formats
from services.audit.signature_check import signature_problems
from tests.support.scenarios.base import PASSWORD, id_of
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.scenarios.reviewed_portfolio import SIGNERS, answered, issued, review_session, sign, started


async def document_of(scenario: EmptyPortfolio, review: dict[str, Any]) -> bytes:
    """Returns the stored bytes of a review's document."""
    file = await scenario.file(review["document"]["id"])
    return b"".join([chunk async for chunk in scenario.services.files.read(file.storage_key)])


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


async def check_audit(scenario: EmptyPortfolio) -> None:
    async with scenario.database.snapshot() as session:
        assert [problem async for problem in signature_problems(session)] == []


async def test_an_issued_review_is_a_document_of_the_session_with_its_digest(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    assert review["status"] == "AWAITING_SIGNATURES"
    assert [slot["role"] for slot in review["slots"]] == ["LEARNER", "ASSESSOR", "EMPLOYER_MANAGER"]
    pdf = await document_of(scenario, review)
    assert hashlib.sha256(pdf).hexdigest() == review["document"]["sha256"]
    text = text_of(pdf)
    for words in (
        "Progress review 1",
        "Learner",
        "manager is content.",
        "assessor is content.",
        "Next steps",
        "Garage",
    ):
        assert words in text, words
    session = await scenario.client("learner").read("Session", review["session"]["id"])
    assert [file["id"] for file in session["files"]] == [review["document"]["id"]]
    recipients = {mail.to_address for mail in await scenario.mails() if mail.kind == "signature_requested"}
    assert recipients == {scenario.user(who).email for who in ("learner", "manager", "second")}
    # Issuing again changes nothing.
    again = await scenario.client("assessor").mutate("reviewIssue", id=review["id"])
    assert again == review and len(await scenario.rows(ReviewDocument)) == 1


async def test_the_figures_live_in_the_draft_and_are_frozen_when_it_is_issued(scenario: EmptyPortfolio) -> None:
    review = await answered(scenario)
    assessor = scenario.client("assessor")

    units = "query($id: ID!) { aim(id: $id) { units { criteria { id status } } } }"

    async def learn() -> None:
        evidence = await scenario.client("learner").mutate(
            "evidenceSubmit",
            input={
                "aimId": scenario.aim, "fileId": await scenario.upload("learner"), "title": "Wheel", "actionId": None,
                "description": "Built.", "declareOwnWork": True, "password": PASSWORD,
            },
        )  # fmt: skip
        criteria = (await assessor.data(units, id=scenario.aim))["aim"]["units"][0]["criteria"]
        left = next(one["id"] for one in criteria if one["status"] == "NOT_STARTED")
        judged = {"assessmentMethods": ["PRODUCT"], "mappings": [{"criterionId": left, "signOff": True}]}
        await assessor.mutate("evidenceAssess", id=evidence["id"], input=judged)

    await learn()
    draft = await assessor.read("Review", review)
    assert draft["figures"]["progress"]["criteriaSignedOff"] == 1
    frozen = await assessor.mutate("reviewIssue", id=review)
    assert frozen["figures"] == draft["figures"]
    await learn()
    for who in SIGNERS:
        assert (await scenario.client(who).read("Review", review))["figures"] == draft["figures"]
    reopened = await assessor.mutate("reviewReopen", id=review, reason="A number was missing.")
    assert reopened["figures"]["progress"]["criteriaSignedOff"] == 2


async def test_what_keeps_a_review_from_being_issued(scenario: EmptyPortfolio) -> None:
    assessor = scenario.client("assessor")
    planned = await started(scenario, await review_session(scenario, -3, status=SessionStatus.PLANNED))
    assert await assessor.user_errors("reviewIssue", id=planned) == {"id": "CONFLICT"}
    review = await answered(scenario, "learner")
    assert "has not written" in await assessor.user_error_text("reviewIssue", id=review)
    for who in ("learner", "manager", "overview", "iqa", "basic", "master"):
        client = scenario.client(who)
        assert await client.user_errors("reviewIssue", id=review) == {None: "NOT_ALLOWED"}
        assert await client.user_errors("reviewReopen", id=review, reason="No.") == {None: "NOT_ALLOWED"}
    for who in ("cy", "colleague", "foreign_assessor"):
        assert await scenario.client(who).user_errors("reviewIssue", id=review) == {"id": "NOT_FOUND"}


async def test_the_employer_signs_by_setting_and_only_where_there_is_one(scenario: EmptyPortfolio) -> None:
    review = await answered(scenario)
    without = scenario.client("assessor", review_signatures=(Role.LEARNER, Role.ASSESSOR))
    made = await without.mutate("reviewIssue", id=review)
    assert [slot["role"] for slot in made["slots"]] == ["LEARNER", "ASSESSOR"]
    await without.mutate("reviewReopen", id=review, reason="The employer signs too.")
    async with scenario.database.writing() as session:
        (await session.get_one(Learner, ids.decode("Learner", scenario.ada))).employer_id = None
    made = await scenario.client("assessor").mutate("reviewIssue", id=review)
    assert [slot["role"] for slot in made["slots"]] == ["LEARNER", "ASSESSOR"]


async def test_each_party_signs_with_today_beside_the_day_it_was_held(scenario: EmptyPortfolio) -> None:
    """Also months later."""
    before = clock.today()
    review = await issued(scenario, days_ago=95)
    for count, who in enumerate(SIGNERS, 1):
        signed = await sign(scenario, who, review)
        assert sum(slot["signedAt"] is not None for slot in signed["slots"]) == count
    assert signed["status"] == "SIGNED"
    held = dt.date.fromisoformat(signed["heldOn"])
    assert held <= clock.today() - dt.timedelta(days=95)
    assert {clock.day_of(dt.datetime.fromisoformat(slot["signedAt"])) >= before for slot in signed["slots"]} == {True}
    # What is signed names the day: the title, the document, and the statement that each signature confirms.
    named = f"held on {formats.day(held)}"
    (request,) = await scenario.rows(SignatureRequest)
    assert request.title == f"Progress review 1, {named}"
    assert f"The review was {named}." in text_of(await document_of(scenario, signed))
    assert {named in slot.statement for slot in await scenario.rows(SignatureSlot)} == {True}
    assert await sign(scenario, "learner", review) == signed
    await check_audit(scenario)


async def test_signatures_that_are_refused(scenario: EmptyPortfolio) -> None:
    draft = await answered(scenario)
    digest = "0" * 64
    signing = {"documentSha256": digest, "password": PASSWORD}
    assert await scenario.client("learner").user_errors("reviewSign", id=draft, **signing) == {"id": "CONFLICT"}
    review = await scenario.client("assessor").mutate("reviewIssue", id=draft)
    refused = await scenario.client("learner").user_errors("reviewSign", id=draft, **signing)
    assert refused == {"documentSha256": "CONFLICT"}
    signing["documentSha256"] = review["document"]["sha256"]
    wrong = {**signing, "password": "guess"}
    assert await scenario.client("learner").user_errors("reviewSign", id=draft, **wrong) == {
        "password": "WRONG_PASSWORD"
    }
    assert await scenario.client("overview").user_errors("reviewSign", id=draft, **signing) == {"id": "NOT_ALLOWED"}
    for who in ("iqa", "basic", "master"):
        assert await scenario.client(who).user_errors("reviewSign", id=draft, **signing) == {None: "NOT_ALLOWED"}
    for who in ("cy", "colleague", "foreign_assessor"):
        assert await scenario.client(who).user_errors("reviewSign", id=draft, **signing) == {"id": "NOT_FOUND"}
    assert all(slot.signed_at is None for slot in await scenario.rows(SignatureSlot))


async def test_nobody_fills_two_slots(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    await sign(scenario, "manager", review)
    async with scenario.database.writing() as session:
        # As if the assessor had signed for the learner before there was this rule.
        first = (await session.scalars(select(SignatureSlot).order_by(SignatureSlot.id))).first()
        first.signed_by_id, first.signed_at = scenario.user("assessor").id, clock.now()
    refused = await scenario.client("assessor").user_errors(
        "reviewSign", id=review["id"], documentSha256=review["document"]["sha256"], password=PASSWORD
    )
    assert refused == {"id": "NOT_ALLOWED"}


async def test_reopening_takes_the_signatures_back_and_keeps_them(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    await sign(scenario, "learner", review)
    assessor = scenario.client("assessor")
    session = review["session"]["id"]
    assert await assessor.user_errors("sessionReopen", id=session, reason="Wrong day.") == {"id": "CONFLICT"}
    assert await assessor.user_errors("reviewReopen", id=review["id"], reason=" ") == {"reason": "REQUIRED"}
    draft = await assessor.mutate("reviewReopen", id=review["id"], reason="The plan changed.")
    assert (draft["status"], draft["document"]) == ("DRAFT", None)
    (kept,) = draft["slots"]
    assert (kept["role"], kept["withdrawnReason"]) == ("LEARNER", "The plan changed.")
    assert kept["documentSha256"] == review["document"]["sha256"]
    lines = await scenario.audit_trail()
    assert await assessor.mutate("reviewReopen", id=review["id"], reason="Again.") == draft
    assert await scenario.audit_trail() == lines
    await scenario.client("learner").mutate("reviewAnswer", id=review["id"], input={"concerns": "A new one."})
    again = await assessor.mutate("reviewIssue", id=review["id"])
    assert again["document"]["sha256"] != review["document"]["sha256"]
    assert [slot["withdrawnAt"] is None for slot in again["slots"]] == [True, True, True, False]
    await check_audit(scenario)
    await assessor.mutate("reviewReopen", id=review["id"], reason="Once more.")
    assert (await assessor.mutate("sessionReopen", id=session, reason="Wrong day."))["status"] == "PLANNED"


async def test_the_document_is_signed_among_others_and_cancelled_with_the_review_only(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    (request,) = [ids.encode("SignatureRequest", each.id) for each in await scenario.rows(SignatureRequest)]
    assert await scenario.client("assessor").user_errors("signatureRequestCancel", id=request) == {"id": "CONFLICT"}
    for who in SIGNERS:
        digest = review["document"]["sha256"]
        await scenario.client(who).mutate("signatureRequestSign", id=request, documentSha256=digest, password=PASSWORD)
    assert (await scenario.client("manager").read("Review", review["id"]))["status"] == "SIGNED"


async def test_another_assessor_sees_neither_review_nor_document(scenario: EmptyPortfolio) -> None:
    session = await review_session(scenario, about=(scenario.aim,))
    review = await started(scenario, session)
    assessor, other = scenario.client("assessor"), scenario.client("other_assessor")
    await assessor.mutate("reviewAnswer", id=review, input={"concerns": "None."})
    made = await assessor.mutate("reviewIssue", id=review)
    (request,) = [ids.encode("SignatureRequest", each.id) for each in await scenario.rows(SignatureRequest)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } reviews { totalCount } signatureRequests { totalCount } }"
    asked = [review, request, made["document"]["id"]]
    assert await other.data(query, ids=asked) == {
        "nodes": [None, None, None], "reviews": {"totalCount": 0}, "signatureRequests": {"totalCount": 0}
    }  # fmt: skip
    found = await assessor.data(query, ids=asked)
    assert [node["id"] for node in found["nodes"]] == asked
    signing = {"id": request, "documentSha256": made["document"]["sha256"], "password": PASSWORD}
    assert await other.user_errors("signatureRequestSign", **signing) == {"id": "NOT_FOUND"}


async def test_two_managers_who_sign_at_once_fill_one_slot(scenario: EmptyPortfolio) -> None:
    review = await issued(scenario)
    signing = {"id": review["id"], "documentSha256": review["document"]["sha256"], "password": PASSWORD}
    answers = await asyncio.gather(
        *(scenario.client(who).payload("reviewSign", **signing) for who in ("learner", "manager", "second"))
    )
    assert sorted(bool(answer["errors"]) for answer in answers) == [False, False, True]
    assert (await scenario.audit_trail()).count("reviewSign") == 2


async def test_of_an_issue_and_an_answer_at_once_the_document_has_the_answer_or_it_is_refused(
    scenario: EmptyPortfolio,
) -> None:
    review = await answered(scenario)
    issuing, answering = await asyncio.gather(
        scenario.client("assessor").payload("reviewIssue", id=review),
        scenario.client("learner").payload("reviewAnswer", id=review, input={"concerns": "A late worry"}),
    )
    read = await scenario.client("assessor").read("Review", review)
    if issuing["errors"]:
        assert read["status"] == "DRAFT" and not answering["errors"]
    else:
        text = text_of(await document_of(scenario, read))
        assert ("A late worry" in text) is not bool(answering["errors"])


@pytest.mark.parametrize("who", ["learner", "manager", "master"])
async def test_reviews_are_found_by_state_and_by_who_has_to_sign(scenario: EmptyPortfolio, who: str) -> None:
    review = await issued(scenario)
    await sign(scenario, "learner", review)
    draft = await started(scenario, await review_session(scenario, 60))
    query = "query($filter: ReviewFilter) { reviews(filter: $filter) { totalCount nodes { id } } }"

    async def found(**filter: Any) -> list[str]:
        read = (await scenario.client(who).data(query, filter=filter))["reviews"]
        assert read["totalCount"] == len(read["nodes"])
        return [node["id"] for node in read["nodes"]]

    assert await found() == [review["id"], draft]
    assert await found(statuses=["DRAFT"]) == [draft]
    assert await found(statuses=["AWAITING_SIGNATURES"]) == [review["id"]] == await found(awaitingRole="ASSESSOR")
    assert await found(statuses=["SIGNED"]) == [] == await found(awaitingRole="LEARNER")
    assert await found(heldFrom=review["heldOn"]) == [review["id"]]
    assert await found(heldTo=review["heldOn"], awaitingRole="EMPLOYER_MANAGER") == [review["id"]]
    assert await found(learnerId=scenario.cy) == []
    (here, *_), elsewhere = await scenario.rows(Employer), "Employer_999"
    assert await found(employerId=id_of(here)) == [review["id"], draft]
    assert await found(employerId=elsewhere) == []
    assert await found(assessorId=f"User_{scenario.user('assessor').id}") == [review["id"], draft]
    assert await found(assessorId=f"User_{scenario.user('iqa').id}") == []
