"""Documents to sign have one slot per role, which is signed once, on the document that was opened."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import update

from db.models.file import File
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock
from domain import global_id as ids
from domain.confirmation_statements import document_statement
from domain.enums import Role, SignatureRequestStatus, UserErrorCode
from domain.errors import DomainError, UserError, user_error
from domain.sentences import say
from resolvers import signature_request
from services.audit.signature_check import signature_problems
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

ROLES = [Role.LEARNER, Role.EMPLOYER_MANAGER]


async def asked(scenario: EmptyPortfolio, who: str = "assessor", **changes: Any) -> tuple[str, str]:
    """Creates a request; returns its id and the digest of its document."""
    input = {"learner_id": scenario.ada, "title": "Review", "roles": ROLES, **changes}
    if "file_id" not in input:
        input["file_id"] = await scenario.upload(who)
    key = await signature_request.create(scenario.context(who), **input)
    return ids.encode("SignatureRequest", key), (await scenario.file(input["file_id"])).sha256


def sign(scenario: EmptyPortfolio, who: str, id: str, digest: str, password: str = PASSWORD) -> Any:
    return signature_request.sign(scenario.context(who), id=id, document_sha256=digest, password=password)


@pytest.mark.parametrize("who", ["assessor", "basic", "master"])
async def test_signatures_are_requested_and_signers_get_a_mail(scenario: EmptyPortfolio, who: str) -> None:
    id, digest = await asked(scenario, who, roles=[*ROLES, Role.ASSESSOR])
    request = await scenario.one(SignatureRequest, ids.decode("SignatureRequest", id))
    assert (request.title, request.status) == ("Review", SignatureRequestStatus.PENDING)
    assert request.document_sha256 == digest
    assert [slot.role for slot in await scenario.rows(SignatureSlot)] == [*ROLES, Role.ASSESSOR]
    file = await scenario.one(File, request.file_id)
    assert (ids.encode("Learner", file.learner_id), file.aim_id) == (scenario.ada, None)
    # Everybody who can sign a slot, except the user who requested it.
    recipients = {"learner", "manager", "second", "assessor", "other_assessor"} - {who}
    assert {mail.to_address for mail in await scenario.mails()} == {scenario.user(one).email for one in recipients}


async def test_invalid_requests(scenario: EmptyPortfolio) -> None:
    doing = asked(scenario, roles=[], title="", file_id="File_999")
    assert await rejected(doing) == {
        "input.title": UserErrorCode.REQUIRED,
        "input.fileId": UserErrorCode.NOT_FOUND,
        "input.roles": UserErrorCode.REQUIRED,
    }
    doing = asked(scenario, roles=[Role.LEARNER, Role.MASTER_ADMIN, Role.LEARNER])
    assert await rejected(doing) == {
        "input.roles.1": UserErrorCode.INVALID, "input.roles.2": UserErrorCode.INVALID
    }  # fmt: skip
    for who in ("learner", "iqa", "manager", "overview"):
        assert await rejected(asked(scenario, who)) == {None: UserErrorCode.NOT_ALLOWED}
    for who, learner in (
        ("assessor", scenario.cy),
        ("assessor", scenario.zoe),
        ("master", scenario.zoe),
        ("master", scenario.aim),
    ):
        assert await rejected(asked(scenario, who, learner_id=learner)) == {"input.learnerId": UserErrorCode.NOT_FOUND}
    assert await scenario.rows(SignatureRequest) == [] == await scenario.mails()


async def test_each_role_signs_its_slot_and_the_last_completes_the_request(scenario: EmptyPortfolio) -> None:
    id, digest = await asked(scenario)
    await sign(scenario, "learner", id, digest)
    first = (await scenario.rows(SignatureSlot))[0]
    assert (first.signed_by_id, first.document_sha256) == (scenario.user("learner").id, digest)
    assert first.statement == document_statement("Review")
    assert [slot.signed_at is None for slot in await scenario.rows(SignatureSlot)] == [False, True]
    await sign(scenario, "manager", id, digest.upper())
    (request,) = await scenario.rows(SignatureRequest)
    assert request.status is SignatureRequestStatus.COMPLETE
    lines = await scenario.audit_trail()
    assert lines == ["signatureRequestCreate", "signatureRequestSign", "signatureRequestSign"]
    # Signing again changes nothing and keeps the time of the first signature.
    await sign(scenario, "learner", id, digest)
    assert (await scenario.rows(SignatureSlot))[0].signed_at == first.signed_at
    assert await scenario.audit_trail() == lines


async def test_the_digest_must_be_that_of_the_current_document(scenario: EmptyPortfolio) -> None:
    id, digest = await asked(scenario)
    for wrong in ("0" * 64, "", digest[:-1]):
        assert await rejected(sign(scenario, "learner", id, wrong)) == {"documentSha256": UserErrorCode.CONFLICT}
    (request,) = await scenario.rows(SignatureRequest)
    async with scenario.database.writing() as session:
        (await session.get_one(File, request.file_id)).sha256 = "1" * 64
    for either in (digest, "1" * 64):
        assert await rejected(sign(scenario, "learner", id, either)) == {"documentSha256": UserErrorCode.CONFLICT}
    assert all(slot.signed_at is None for slot in await scenario.rows(SignatureSlot))


async def test_roles_that_cannot_sign(scenario: EmptyPortfolio) -> None:
    id, digest = await asked(scenario)
    for who in ("assessor", "iqa", "overview"):
        assert await rejected(sign(scenario, who, id, digest)) == {"id": UserErrorCode.NOT_ALLOWED}
    for who in ("basic", "master"):
        assert await rejected(sign(scenario, who, id, digest)) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "colleague", "foreign_assessor"):
        assert await rejected(sign(scenario, who, id, digest)) == {"id": UserErrorCode.NOT_FOUND}
    assert await rejected(sign(scenario, "learner", id, digest, "guess")) == {"password": UserErrorCode.WRONG_PASSWORD}
    await sign(scenario, "manager", id, digest)
    with pytest.raises(DomainError) as refused:
        await sign(scenario, "second", id, digest)
    by = scenario.user("manager").name
    assert refused.value.errors == (user_error(UserErrorCode.CONFLICT, say("SIGNED_BY_OTHER", signer=by), "id"),)


async def test_only_a_pending_request_can_be_cancelled(scenario: EmptyPortfolio) -> None:
    id, digest = await asked(scenario)
    for who in ("learner", "iqa", "manager", "overview"):
        assert await rejected(signature_request.cancel(scenario.context(who), id=id)) == {
            None: UserErrorCode.NOT_ALLOWED
        }
    doing = signature_request.cancel(scenario.context("foreign_assessor"), id=id)
    assert await rejected(doing) == {"id": UserErrorCode.NOT_FOUND}
    await sign(scenario, "learner", id, digest)
    await signature_request.cancel(scenario.context("basic"), id=id)
    assert await rejected(signature_request.cancel(scenario.context("assessor"), id=id)) == {
        "id": UserErrorCode.CONFLICT
    }
    assert await rejected(sign(scenario, "manager", id, digest)) == {"id": UserErrorCode.CONFLICT}
    assert [slot.signed_at is None for slot in await scenario.rows(SignatureSlot)] == [False, True]


async def test_a_cancelled_request_withdraws_its_signatures(scenario: EmptyPortfolio) -> None:
    (id, digest), (other, other_digest) = await asked(scenario), await asked(scenario)
    await sign(scenario, "learner", id, digest)
    await sign(scenario, "learner", other, other_digest)
    await signature_request.cancel(scenario.context("basic"), id=id)
    query = "query($id: ID!) { signatureRequest(id: $id) { slots { statement signedAt withdrawnAt withdrawnReason } } }"
    signed, unsigned = (await scenario.client("learner").data(query, id=id))["signatureRequest"]["slots"]
    assert signed["statement"] == document_statement("Review") and signed["signedAt"] < signed["withdrawnAt"]
    assert signed["withdrawnReason"] == "The request for signatures was cancelled."
    assert unsigned["withdrawnAt"] is None
    kept, _ = (await scenario.client("learner").data(query, id=other))["signatureRequest"]["slots"]
    assert (kept["withdrawnAt"], kept["withdrawnReason"]) == (None, None)
    async with scenario.database.writing() as session:
        assert [one async for one in signature_problems(session)] == []
        later = SignatureSlot.withdrawn_at.is_not(None)
        await session.execute(update(SignatureSlot).where(later).values(withdrawn_at=clock.now()))
        assert len([one async for one in signature_problems(session)]) == 1


async def test_one_of_twenty_concurrent_signers_of_a_slot_succeeds(scenario: EmptyPortfolio) -> None:
    """Two managers sign ten times each, while the learner signs their slot."""
    id, digest = await asked(scenario)
    done = await asyncio.gather(
        sign(scenario, "learner", id, digest),
        *(sign(scenario, who, id, digest) for who in ("manager", "second") * 10),
        return_exceptions=True,
    )
    slots, (request,) = await scenario.rows(SignatureSlot), await scenario.rows(SignatureRequest)
    assert request.status is SignatureRequestStatus.COMPLETE
    assert isinstance(done[0], int)
    assert slots[1].signed_by_id in (scenario.user("manager").id, scenario.user("second").id)
    assert (await scenario.audit_trail()).count("signatureRequestSign") == 2
    codes = {fault.code for one in done if not isinstance(one, int) for fault in one.errors}
    assert codes <= {UserErrorCode.CONFLICT, UserErrorCode.TOO_MANY_ATTEMPTS}


async def many(scenario: EmptyPortfolio, who: str, *documents: tuple[str, str]) -> Any:
    """Signs documents with the smallest selection; returns the titles of the signed ones and the codes by field."""
    answer = await scenario.client(who).data(
        "mutation($documents: [DocumentToSignInput!]!, $password: String!) { signatureRequestSignMany("
        "documents: $documents, password: $password) { signatureRequests { title } errors { code field } } }",
        documents=[{"id": id, "documentSha256": digest} for id, digest in documents], password=PASSWORD,
    )  # fmt: skip
    payload = answer["signatureRequestSignMany"]
    errors = {".".join(error["field"] or []): error["code"] for error in payload["errors"]}
    return [each["title"] for each in payload["signatureRequests"]], errors


async def test_several_documents_are_signed_with_one_password(scenario: EmptyPortfolio) -> None:
    documents = [await asked(scenario, title=title) for title in ("One", "Two", "Three", "Four")]
    (first, changed, third, cancelled) = documents
    await signature_request.cancel(scenario.context("assessor"), id=cancelled[0])
    # Each document that cannot be signed is refused alone.
    signed, errors = await many(
        scenario, "manager", third, (changed[0], "0" * 64), cancelled, first, ("SignatureRequest_999", "0"), third
    )
    assert signed == ["Three", "One"]
    assert errors == {
        "documents.1.documentSha256": "CONFLICT", "documents.2.id": "CONFLICT", "documents.4.id": "NOT_FOUND",
        "documents.5.id": "INVALID",
    }  # fmt: skip
    filled = [slot.signed_by_id for slot in await scenario.rows(SignatureSlot, SignatureSlot.role == ROLES[1])]
    manager = scenario.user("manager").id
    assert filled == [manager, None, manager, None]
    assert (await scenario.audit_trail())[-3:] == ["signatureRequestCancel"] + ["signatureRequestSignMany"] * 2
    async with scenario.database.writing() as session:
        assert [one async for one in signature_problems(session)] == []
    # A repetition changes nothing; what was signed before counts as signed.
    assert await many(scenario, "manager", first, third) == (["One", "Three"], {})
    assert len(await scenario.audit_trail()) == 7


async def test_where_no_document_can_be_signed(scenario: EmptyPortfolio) -> None:
    id, digest = await asked(scenario)
    assert await many(scenario, "manager") == ([], {"documents": "REQUIRED"})
    assert await many(scenario, "manager", *[(id, digest)] * 51) == ([], {"documents": "INVALID"})
    assert await many(scenario, "manager", (id, "0")) == ([], {"documents.0.documentSha256": "CONFLICT"})
    assert await many(scenario, "overview", (id, digest)) == ([], {"documents.0.id": "NOT_ALLOWED"})
    assert await many(scenario, "basic", (id, digest)) == ([], {"": "NOT_ALLOWED"})
    assert await many(scenario, "colleague", (id, digest)) == ([], {"documents.0.id": "NOT_FOUND"})
    doing = signature_request.sign_many(
        scenario.context("manager"), documents=[{"id": id, "document_sha256": digest}], password="guess"
    )
    assert await rejected(doing) == {"password": UserErrorCode.WRONG_PASSWORD}
    assert all(slot.signed_at is None for slot in await scenario.rows(SignatureSlot))


async def test_a_repeated_request_gets_the_refusals_again(scenario: EmptyPortfolio) -> None:
    (id, digest), (other, _) = await asked(scenario), await asked(scenario)
    documents = [{"id": id, "document_sha256": digest}, {"id": other, "document_sha256": "0"}]

    async def once() -> Any:
        context = scenario.context("manager", "a-key")
        return await signature_request.sign_many(context, documents=documents, password=PASSWORD)

    answer = await once()
    assert [each["field"] for each in answer["refused"]] == [["documents", "1", "documentSha256"]]
    assert await once() == answer and len(await scenario.audit_trail()) == 3


def test_a_refusal_is_stored_with_what_it_says() -> None:
    """The language of the answer is that of the request, also where the answer is a stored one."""
    message = say("SIGNED_IN_OTHER_ROLE", signed=Role.IQA, role=Role.ASSESSOR)
    for error in (
        user_error(UserErrorCode.NOT_ALLOWED, message, "a", "1"),
        user_error(UserErrorCode.INVALID, say("TOO_MANY_UNITS", most=3)),
    ):
        stored = UserError.from_json(json.loads(json.dumps(error.as_json())))
        assert stored == error and (stored.reason, stored.parameters) == (error.reason, error.parameters)
