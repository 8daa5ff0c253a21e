"""Journey 7: messages to the assessor, resources and files of a course, the CV and its documents."""

import pytest

from domain.sentences import languages
from services.demo import sample_files as files
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.lookup import STANDARD, aim_of, learner_id
from tests.support.pseudo_language import PSEUDO
from tests.support.smtp_server import Post

BUCKETS = "query($id: ID!) { aim(id: $id) { resourceCount resources { id title } files { id title } } }"


async def sent(person: HttpClient, sample: files.SampleFile) -> str:
    return await person.upload(sample.name, sample.content_type, sample.content)


async def test_messages_are_sent_as_e_mail(clients: Clients, post: Post):
    learner, manager, assessor = await clients("learner"), await clients("employer.manager"), await clients("assessor")
    aim = await aim_of(learner, await learner_id(learner, "Maya Thornton"), STANDARD)
    for person, address in ((learner, "learner@northmoor.example"), (manager, "employer.manager@northmoor.example")):
        words = {"aimId": aim["id"], "subject": "Thursday", "body": "I am\nlate."}
        await person.mutate("messageSend", input=words)
        message = await post.to("assessor@northmoor.example", "Thursday")
        # The assessor replies by e-mail.
        assert (message["Reply-To"], message.is_multipart()) == (address, False)
        assert "> I am\n> late." in message.get_content().replace("\r\n", "\n")
    await assessor.mutate("messageSend", input={"aimId": aim["id"], "subject": "Re: Thursday", "body": "Fine."})
    message = await post.to("learner@northmoor.example", "Re: Thursday")
    assert message["Reply-To"] is None
    empty = {"aimId": aim["id"], "subject": " ", "body": ""}
    errors = await learner.user_errors("messageSend", input=empty)
    assert list(errors.items()) == [("input.subject", "REQUIRED"), ("input.body", "REQUIRED")]
    iqa = await clients("iqa")
    assert await iqa.user_errors("messageSend", input={**empty, "subject": "x", "body": "x"}) == {None: "NOT_ALLOWED"}
    admin = await clients("master.admin")
    assert [action for action, _ in await admin.audit_trail(aim["id"])][:3] == ["messageSend"] * 3


async def test_resources_and_files_of_a_course(clients: Clients):
    learner, assessor = await clients("learner"), await clients("assessor")
    aim = await aim_of(assessor, await learner_id(assessor, "Maya Thornton"), STANDARD)
    before = (await learner.data(BUCKETS, id=aim["id"]))["aim"]
    material = {"aimId": aim["id"], "title": "Torque chart, new edition"}
    handed = {**material, "fileId": await sent(learner, files.pdf("Torque chart"))}
    assert await learner.user_errors("resourceAdd", input=handed) == {None: "NOT_ALLOWED"}
    resource = await assessor.mutate(
        "resourceAdd", input={**material, "fileId": await sent(assessor, files.pdf("Torque chart"))}
    )
    of_course = {**material, "title": "Course plan", "bucket": "FILES_FROM_COURSE"}
    await assessor.mutate(
        "resourceAdd", input={**of_course, "fileId": await sent(assessor, files.pdf("Course handbook"))}
    )
    now = (await learner.data(BUCKETS, id=aim["id"]))["aim"]
    assert now["resourceCount"] == before["resourceCount"] + 1 == len(now["resources"])
    assert "Torque chart, new edition" in [one["title"] for one in now["resources"]]
    assert "Course plan" in [one["title"] for one in now["files"]]
    assert await learner.download(resource["file"]["id"]) == files.pdf("Torque chart").content
    removed = await assessor.mutate("resourceRemove", id=resource["id"])
    assert removed["removedId"] == resource["id"]
    assert (await learner.data(BUCKETS, id=aim["id"]))["aim"]["resourceCount"] == before["resourceCount"]


async def test_the_cv_is_saved_section_by_section(clients: Clients):
    learner, manager = await clients("learner"), await clients("employer.manager")
    maya = await learner_id(learner, "Maya Thornton")
    for name in ("PERSONAL_PROFILE", "EDUCATION", "EMPLOYMENT", "SKILLS", "INTERESTS"):
        saved = await learner.mutate("cvSectionSave", name=name, text=f"My {name.lower()}.")
        assert {"name": name, "text": f"My {name.lower()}."} in saved["cv"]["sections"]
    assert [one["text"] for one in saved["cv"]["sections"]].count("My skills.") == 1
    for kind in ("CV", "JOB_DESCRIPTION", "COMPANY_PROFILE", "OTHER"):
        file_id = await sent(learner, files.docx("Curriculum vitae"))
        saved = await learner.mutate("cvDocumentAdd", kind=kind, fileId=file_id)
        assert (kind, file_id) in [(one["kind"], one["file"]["id"]) for one in saved["cv"]["documents"]]
    assert await manager.download(file_id) == files.docx("Curriculum vitae").content
    assert (await manager.read("Learner", maya))["cv"] == saved["cv"]
    assert await manager.user_errors("cvSectionSave", name="SKILLS", text="Theirs.") == {None: "NOT_ALLOWED"}
    photo = await clients("assessor")
    shown = await photo.mutate("learnerUpdate", id=maya, input={"photoFileId": await sent(photo, files.portrait(3))})
    assert await learner.download(shown["photo"]["id"]) == files.portrait(3).content


async def test_messages_of_errors_follow_the_language_of_the_request(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(languages(), PSEUDO.tag, PSEUDO)
    learner = await clients("learner")
    selected = "errors { message reason parameters { name value } }"
    document = f"mutation ($text: String!) {{ cvSectionSave(name: SKILLS, text: $text) {{ {selected} }} }}"
    messages = {}
    for header in ("qps, en;q=0.5", "cy"):
        body = {"query": document, "variables": {"text": "x" * 20_001}}
        answer = await learner.http.post("/graphql", json=body, headers={"accept-language": header})
        [error] = answer.json()["data"]["cvSectionSave"]["errors"]
        messages[header] = error.pop("message")
        assert error == {
            "reason": "TEXT_TOO_LONG",
            "parameters": [{"name": "length", "value": "20001"}, {"name": "most", "value": "20000"}],
        }
    assert messages["cy"] == "This has 20,001 characters. Shorten it to 20,000 or fewer."
    assert messages["qps, en;q=0.5"] == f"⟦{messages['cy']}⟧"
