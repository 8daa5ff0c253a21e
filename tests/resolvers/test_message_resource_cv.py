"""Messages, resources and CVs: who writes to whom, who adds what, and a CV that is only the learner's own."""

import asyncio

import pytest

from db.models.cv import CvDocument, CvSection
from db.models.resource import Resource
from domain import global_id as ids
from domain.enums import CvDocumentKind, CvSectionName, ResourceBucket, UserErrorCode
from resolvers import cv, message, resource
from tests.support.scenarios import Stage, refused

SENT = {"subject": "Tuesday", "body": "Shall we meet?\nBcc: all@example.org"}


@pytest.mark.parametrize(
    ("sender", "receiver", "answered_to"),
    [
        ("learner", "assessor", True), ("manager", "assessor", True), ("overview", "assessor", True),
        # A learner sees nobody's e-mail address.
        ("assessor", "learner", False), ("basic", "learner", False), ("master", "learner", False),
    ],
)  # fmt: skip
async def test_who_writes_to_whom(stage: Stage, sender: str, receiver: str, answered_to: bool) -> None:
    await message.send(stage.at(sender), aim_id=stage.aim, **SENT)
    (mail,) = await stage.mails()
    assert (mail.to_address, mail.subject) == (stage.user(receiver).email, "Tuesday")
    assert mail.reply_to == (stage.user(sender).email if answered_to else None)
    assert "> Shall we meet?" in mail.body and "Learner, Cycle mechanic" in mail.body
    assert answered_to or stage.user(sender).email not in mail.body
    assert await stage.trail() == ["messageSend"]


async def test_messages_that_are_not_sent(stage: Stage) -> None:
    doing = message.send(stage.at("learner"), aim_id=stage.aim, subject="", body=" ")
    assert await refused(doing) == {"input.subject": UserErrorCode.REQUIRED, "input.body": UserErrorCode.REQUIRED}
    doing = message.send(stage.at("iqa"), aim_id=stage.aim, **SENT)
    assert await refused(doing) == {None: UserErrorCode.NOT_ALLOWED}
    for who, aim in (("learner", stage.cys_aim), ("assessor", stage.other_aim), ("colleague", stage.aim)):
        doing = message.send(stage.at(who), aim_id=aim, **SENT)
        assert await refused(doing) == {"input.aimId": UserErrorCode.NOT_FOUND}
    doing = message.send(stage.at("cy"), aim_id=stage.cys_aim, **SENT)
    assert await refused(doing) == {"input.aimId": UserErrorCode.INVALID}
    assert await stage.mails() == [] and await stage.trail() == []


async def test_resources_are_added_to_a_bucket_and_taken_out(stage: Stage) -> None:
    asked = {"aim_id": stage.aim, "title": "Workbook"}
    await resource.add(stage.at("assessor"), **asked, file_id=await stage.upload("assessor"))
    course = {"bucket": ResourceBucket.FILES_FROM_COURSE, "file_id": await stage.upload("master")}
    await resource.add(stage.at("master"), **asked, **course)
    first, second = await stage.rows(Resource)
    assert (first.bucket, second.bucket) == (ResourceBucket.RESOURCES, ResourceBucket.FILES_FROM_COURSE)
    file = await stage.file(course["file_id"])
    assert ids.encode("Aim", file.aim_id) == stage.aim and file.learner_id == second.learner_id
    id = ids.encode("Resource", first.id)
    for who in ("learner", "iqa", "manager", "overview", "basic"):
        doing = resource.add(stage.at(who), **asked, file_id=await stage.upload(who))
        assert await refused(doing) == {None: UserErrorCode.NOT_ALLOWED}
        assert await refused(resource.remove(stage.at(who), id=id)) == {None: UserErrorCode.NOT_ALLOWED}
    for who in ("cy", "zoe", "other_assessor", "foreign_assessor", "colleague"):
        assert await refused(resource.remove(stage.at(who), id=id)) == {"id": UserErrorCode.NOT_FOUND}
    await resource.remove(stage.at("assessor"), id=id)
    assert [row.id for row in await stage.rows(Resource)] == [second.id]
    assert await refused(resource.remove(stage.at("assessor"), id=id)) == {"id": UserErrorCode.NOT_FOUND}
    assert await stage.trail() == ["resourceAdd", "resourceAdd", "resourceRemove"]


async def test_a_cv_is_saved_section_by_section(stage: Stage) -> None:
    texts = [f"Version {number}" for number in range(5)]
    await asyncio.gather(
        *(cv.section_save(stage.at("learner"), name=CvSectionName.SKILLS, text=text) for text in texts)
    )
    key = await cv.section_save(stage.at("learner"), name=CvSectionName.EDUCATION, text=" School\n")
    saved = {row.name: row.text for row in await stage.rows(CvSection)}
    assert saved[CvSectionName.EDUCATION] == "School" and saved[CvSectionName.SKILLS] in texts
    assert ids.encode("Learner", key) == stage.ada
    await cv.section_save(stage.at("learner"), name=CvSectionName.EDUCATION, text="")
    doing = cv.section_save(stage.at("learner"), name=CvSectionName.SKILLS, text="x" * 20_001)
    assert await refused(doing) == {"text": UserErrorCode.INVALID}
    assert len(await stage.rows(CvSection)) == 2


async def test_documents_stand_beside_the_cv(stage: Stage) -> None:
    file_id = await stage.upload("learner")
    await cv.document_add(stage.at("learner"), kind=CvDocumentKind.JOB_DESCRIPTION, file_id=file_id)
    (document,) = await stage.rows(CvDocument)
    assert (document.kind, ids.encode("File", document.file_id)) == (CvDocumentKind.JOB_DESCRIPTION, file_id)
    assert (await stage.file(file_id)).learner_id == document.learner_id
    doing = cv.document_add(stage.at("learner"), kind=CvDocumentKind.CV, file_id=file_id)
    assert await refused(doing) == {"fileId": UserErrorCode.CONFLICT}


@pytest.mark.parametrize("who", ["assessor", "iqa", "manager", "overview", "basic", "master"])
async def test_nobody_else_writes_a_cv(stage: Stage, who: str) -> None:
    doing = cv.section_save(stage.at(who), name=CvSectionName.SKILLS, text="Mine")
    assert await refused(doing) == {None: UserErrorCode.NOT_ALLOWED}
    doing = cv.document_add(stage.at(who), kind=CvDocumentKind.CV, file_id=await stage.upload(who))
    assert await refused(doing) == {None: UserErrorCode.NOT_ALLOWED}
