"""Documents to sign: a slot a role, filled once, on the document that was opened."""

import asyncio
from typing import Any

import pytest

from db.models.file import File
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import global_id as ids
from domain.confirmation_statements import document_statement
from domain.enums import Role, SignatureRequestStatus, UserErrorCode
from resolvers import signature_request
from tests.support.scenarios import PASSWORD, Stage, refused

ROLES = [Role.LEARNER, Role.EMPLOYER_MANAGER]


async def asked(stage: Stage, who: str = "assessor", **changes: Any) -> tuple[str, str]:
    """A request's id, and the digest of its document."""
    input = {"learner_id": stage.ada, "title": "Review", "roles": ROLES, **changes}
    if "file_id" not in input:
        input["file_id"] = await stage.upload(who)
    key = await signature_request.create(stage.at(who), **input)
    return ids.encode("SignatureRequest", key), (await stage.file(input["file_id"])).sha256


def sign(stage: Stage, who: str, id: str, digest: str, password: str = PASSWORD) -> Any:
    return signature_request.sign(stage.at(who), id=id, document_sha256=digest, password=password)


@pytest.mark.parametrize("who", ["assessor", "basic", "master"])
async def test_roles_are_asked_and_told(stage: Stage, who: str) -> None:
    id, digest = await asked(stage, who, roles=[*ROLES, Role.ASSESSOR])
    request = await stage.one(SignatureRequest, ids.decode("SignatureRequest", id))
    assert (request.title, request.status) == ("Review", SignatureRequestStatus.PENDING)
    assert request.document_sha256 == digest
    assert [slot.role for slot in await stage.rows(SignatureSlot)] == [*ROLES, Role.ASSESSOR]
    file = await stage.one(File, request.file_id)
    assert (ids.encode("Learner", file.learner_id), file.aim_id) == (stage.ada, None)
    # Everybody who could fill a slot, but not who asked.
    told = {"learner", "manager", "second", "assessor", "other_assessor"} - {who}
    assert {mail.to_address for mail in await stage.mails()} == {stage.user(one).email for one in told}


async def test_what_cannot_be_asked(stage: Stage) -> None:
    doing = asked(stage, roles=[], title="", file_id="File_999")
    assert await refused(doing) == {
        "input.title": UserErrorCode.REQUIRED,
        "input.fileId": UserErrorCode.NOT_FOUND,
        "input.roles": UserErrorCode.REQUIRED,
    }
    doing = asked(stage, roles=[Role.LEARNER, Role.MASTER_ADMIN, Role.LEARNER])
    assert await refused(doing) == {
        "input.roles.1": UserErrorCode.INVALID, "input.roles.2": UserErrorCode.INVALID
    }  # fmt: skip
    for who in ("learner", "iqa", "manager", "overview"):
        assert await refused(asked(stage, who)) == {None: UserErrorCode.NOT_ALLOWED}
    for who, learner in (("assessor", stage.cy), ("assessor", stage.zoe), ("master", stage.zoe), ("master", stage.aim)):
        assert await refused(asked(stage, who, learner_id=learner)) == {"input.learnerId": UserErrorCode.NOT_FOUND}
    assert await stage.rows(SignatureRequest) == [] == await stage.mails()


async def test_each_signs_their_own_slot_and_the_last_completes_it(stage: Stage) -> None:
    id, digest = await asked(stage)
    await sign(stage, "learner", id, digest)
    first = (await stage.rows(SignatureSlot))[0]
    assert (first.signed_by_id, first.document_sha256) == (stage.user("learner").id, digest)
    assert first.statement == document_statement("Review")
    assert [slot.signed_at is None for slot in await stage.rows(SignatureSlot)] == [False, True]
    await sign(stage, "manager", id, digest.upper())
    (request,) = await stage.rows(SignatureRequest)
    assert request.status is SignatureRequestStatus.COMPLETE
    lines = await stage.trail()
    assert lines == ["signatureRequestCreate", "signatureRequestSign", "signatureRequestSign"]
    # Signing again changes nothing, and stamps nothing anew.
    await sign(stage, "learner", id, digest)
    assert (await stage.rows(SignatureSlot))[0].signed_at == first.signed_at
    assert await stage.trail() == lines


async def test_the_digest_must_be_of_the_document_that_is_there(stage: Stage) -> None:
    id, digest = await asked(stage)
    for wrong in ("0" * 64, "", digest[:-1]):
        assert await refused(sign(stage, "learner", id, wrong)) == {"documentSha256": UserErrorCode.CONFLICT}
    (request,) = await stage.rows(SignatureRequest)
    async with stage.database.writing() as session:
        (await session.get_one(File, request.file_id)).sha256 = "1" * 64
    for either in (digest, "1" * 64):
        assert await refused(sign(stage, "learner", id, either)) == {"documentSha256": UserErrorCode.CONFLICT}
    assert all(slot.signed_at is None for slot in await stage.rows(SignatureSlot))


async def test_who_may_not_sign(stage: Stage) -> None:
    id, digest = await asked(stage)
    for who in ("assessor", "iqa", "overview"):
        assert await refused(sign(stage, who, id, digest)) == {"id": UserErrorCode.NOT_ALLOWED}
    for who in ("basic", "master"):
        assert await refused(sign(stage, who, id, digest)) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "colleague", "foreign_assessor"):
        assert await refused(sign(stage, who, id, digest)) == {"id": UserErrorCode.NOT_FOUND}
    assert await refused(sign(stage, "learner", id, digest, "guess")) == {"password": UserErrorCode.WRONG_PASSWORD}
    await sign(stage, "manager", id, digest)
    assert await refused(sign(stage, "second", id, digest)) == {"id": UserErrorCode.CONFLICT}


async def test_only_what_waits_is_cancelled(stage: Stage) -> None:
    id, digest = await asked(stage)
    for who in ("learner", "iqa", "manager", "overview"):
        assert await refused(signature_request.cancel(stage.at(who), id=id)) == {None: UserErrorCode.NOT_ALLOWED}
    doing = signature_request.cancel(stage.at("foreign_assessor"), id=id)
    assert await refused(doing) == {"id": UserErrorCode.NOT_FOUND}
    await sign(stage, "learner", id, digest)
    await signature_request.cancel(stage.at("basic"), id=id)
    assert await refused(signature_request.cancel(stage.at("assessor"), id=id)) == {"id": UserErrorCode.CONFLICT}
    assert await refused(sign(stage, "manager", id, digest)) == {"id": UserErrorCode.CONFLICT}
    assert [slot.signed_at is None for slot in await stage.rows(SignatureSlot)] == [False, True]


async def test_of_twenty_who_race_for_one_slot_one_wins(stage: Stage) -> None:
    """Two managers, ten times each; the learner's slot is filled meanwhile."""
    id, digest = await asked(stage)
    done = await asyncio.gather(
        sign(stage, "learner", id, digest),
        *(sign(stage, who, id, digest) for who in ("manager", "second") * 10),
        return_exceptions=True,
    )
    slots, (request,) = await stage.rows(SignatureSlot), await stage.rows(SignatureRequest)
    assert request.status is SignatureRequestStatus.COMPLETE
    assert isinstance(done[0], int)
    assert slots[1].signed_by_id in (stage.user("manager").id, stage.user("second").id)
    assert (await stage.trail()).count("signatureRequestSign") == 2
    codes = {fault.code for one in done if not isinstance(one, int) for fault in one.errors}
    assert codes <= {UserErrorCode.CONFLICT, UserErrorCode.TOO_MANY_ATTEMPTS}
