"""Messages, resources and CVs: recipients, permissions, and a CV that only its learner changes."""

import asyncio

import pytest

from db.models.cv import CvDocument, CvSection
from db.models.resource import Resource
from domain import global_id as ids
from domain.enums import CvDocumentKind, CvSectionName, ResourceBucket, UserErrorCode
from resolvers import cv, message, resource
from tests.support.scenarios.base import rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

SENT = {"subject": "Tuesday", "body": "Shall we meet?\nBcc: all@example.org"}


@pytest.mark.parametrize(
    ("sender", "receiver", "answered_to"),
    [
        ("learner", "assessor", True), ("manager", "assessor", True), ("overview", "assessor", True),
        # A learner does not see e-mail addresses.
        ("assessor", "learner", False), ("basic", "learner", False), ("master", "learner", False),
    ],
)  # fmt: skip
async def test_recipients_by_role(scenario: EmptyPortfolio, sender: str, receiver: str, answered_to: bool) -> None:
    await message.send(scenario.context(sender), aim_id=scenario.aim, **SENT)
    (mail,) = await scenario.mails()
    assert (mail.to_address, mail.subject) == (scenario.user(receiver).email, "Tuesday")
    assert mail.reply_to == (scenario.user(sender).email if answered_to else None)
    assert "> Shall we meet?" in mail.body and "Learner, Cycle mechanic" in mail.body
    assert answered_to or scenario.user(sender).email not in mail.body
    assert await scenario.audit_trail() == ["messageSend"]


async def test_messages_that_are_rejected(scenario: EmptyPortfolio) -> None:
    doing = message.send(scenario.context("learner"), aim_id=scenario.aim, subject="", body=" ")
    assert await rejected(doing) == {"input.subject": UserErrorCode.REQUIRED, "input.body": UserErrorCode.REQUIRED}
    doing = message.send(scenario.context("iqa"), aim_id=scenario.aim, **SENT)
    assert await rejected(doing) == {None: UserErrorCode.NOT_ALLOWED}
    for who, aim in (("learner", scenario.cys_aim), ("assessor", scenario.other_aim), ("colleague", scenario.aim)):
        doing = message.send(scenario.context(who), aim_id=aim, **SENT)
        assert await rejected(doing) == {"input.aimId": UserErrorCode.NOT_FOUND}
    doing = message.send(scenario.context("cy"), aim_id=scenario.cys_aim, **SENT)
    assert await rejected(doing) == {"input.aimId": UserErrorCode.INVALID}
    assert await scenario.mails() == [] and await scenario.audit_trail() == []


async def test_resources_are_added_to_a_bucket_and_removed(scenario: EmptyPortfolio) -> None:
    asked = {"aim_id": scenario.aim, "title": "Workbook"}
    await resource.add(scenario.context("assessor"), **asked, file_id=await scenario.upload("assessor"))
    course = {"bucket": ResourceBucket.FILES_FROM_COURSE, "file_id": await scenario.upload("master")}
    await resource.add(scenario.context("master"), **asked, **course)
    first, second = await scenario.rows(Resource)
    assert (first.bucket, second.bucket) == (ResourceBucket.RESOURCES, ResourceBucket.FILES_FROM_COURSE)
    file = await scenario.file(course["file_id"])
    assert ids.encode("Aim", file.aim_id) == scenario.aim and file.learner_id == second.learner_id
    id = ids.encode("Resource", first.id)
    for who in ("learner", "iqa", "manager", "overview", "basic"):
        doing = resource.add(scenario.context(who), **asked, file_id=await scenario.upload(who))
        assert await rejected(doing) == {None: UserErrorCode.NOT_ALLOWED}
        assert await rejected(resource.remove(scenario.context(who), id=id)) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "other_assessor", "foreign_assessor", "colleague"):
        assert await rejected(resource.remove(scenario.context(who), id=id)) == {"id": UserErrorCode.NOT_FOUND}
    await resource.remove(scenario.context("assessor"), id=id)
    assert [row.id for row in await scenario.rows(Resource)] == [second.id]
    assert await rejected(resource.remove(scenario.context("assessor"), id=id)) == {"id": UserErrorCode.NOT_FOUND}
    assert await scenario.audit_trail() == ["resourceAdd", "resourceAdd", "resourceRemove"]


async def test_a_cv_is_saved_section_by_section(scenario: EmptyPortfolio) -> None:
    texts = [f"Version {number}" for number in range(5)]
    await asyncio.gather(
        *(cv.section_save(scenario.context("learner"), name=CvSectionName.SKILLS, text=text) for text in texts)
    )
    key = await cv.section_save(scenario.context("learner"), name=CvSectionName.EDUCATION, text=" School\n")
    saved = {row.name: row.text for row in await scenario.rows(CvSection)}
    assert saved[CvSectionName.EDUCATION] == "School" and saved[CvSectionName.SKILLS] in texts
    assert ids.encode("Learner", key) == scenario.ada
    await cv.section_save(scenario.context("learner"), name=CvSectionName.EDUCATION, text="")
    doing = cv.section_save(scenario.context("learner"), name=CvSectionName.SKILLS, text="x" * 20_001)
    assert await rejected(doing) == {"text": UserErrorCode.INVALID}
    assert len(await scenario.rows(CvSection)) == 2


async def test_documents_are_added_to_the_cv(scenario: EmptyPortfolio) -> None:
    file_id = await scenario.upload("learner")
    await cv.document_add(scenario.context("learner"), kind=CvDocumentKind.JOB_DESCRIPTION, file_id=file_id)
    (document,) = await scenario.rows(CvDocument)
    assert (document.kind, ids.encode("File", document.file_id)) == (CvDocumentKind.JOB_DESCRIPTION, file_id)
    assert (await scenario.file(file_id)).learner_id == document.learner_id
    doing = cv.document_add(scenario.context("learner"), kind=CvDocumentKind.CV, file_id=file_id)
    assert await rejected(doing) == {"fileId": UserErrorCode.CONFLICT}


@pytest.mark.parametrize("who", ["assessor", "iqa", "manager", "overview", "basic", "master"])
async def test_other_roles_cannot_change_a_cv(scenario: EmptyPortfolio, who: str) -> None:
    doing = cv.section_save(scenario.context(who), name=CvSectionName.SKILLS, text="Mine")
    assert await rejected(doing) == {None: UserErrorCode.NOT_ALLOWED}
    doing = cv.document_add(scenario.context(who), kind=CvDocumentKind.CV, file_id=await scenario.upload(who))
    assert await rejected(doing) == {None: UserErrorCode.NOT_ALLOWED}
