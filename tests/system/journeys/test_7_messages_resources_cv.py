"""Journey 7: messages to the assessor, resources and files of a course, the CV and its documents."""

from services.demo import sample_files as files
from tests.support.client import Actor, Cast
from tests.support.lookup import STANDARD, aim_of, learner_id
from tests.support.smtp_server import Post

BUCKETS = "query($id: ID!) { aim(id: $id) { resourceCount resources { id title } files { id title } } }"


async def sent(person: Actor, sample: files.SampleFile) -> str:
    return await person.upload(sample.name, sample.content_type, sample.content)


async def test_messages_go_out_as_e_mail(cast: Cast, post: Post):
    learner, manager, assessor = await cast("learner"), await cast("employer.manager"), await cast("assessor")
    aim = await aim_of(learner, await learner_id(learner, "Maya Thornton"), STANDARD)
    for person, address in ((learner, "learner@northmoor.example"), (manager, "employer.manager@northmoor.example")):
        words = {"aimId": aim["id"], "subject": "Thursday", "body": "I am\nlate."}
        assert await person.do("messageSend", input=words) == {}
        message = await post.to("assessor@northmoor.example", "Thursday")
        # The assessor answers with their mail program.
        assert (message["Reply-To"], message.is_multipart()) == (address, False)
        assert "> I am\n> late." in message.get_content().replace("\r\n", "\n")
    await assessor.do("messageSend", input={"aimId": aim["id"], "subject": "Re: Thursday", "body": "Fine."})
    message = await post.to("learner@northmoor.example", "Re: Thursday")
    assert message["Reply-To"] is None
    empty = {"aimId": aim["id"], "subject": " ", "body": ""}
    assert await learner.refusals("messageSend", input=empty) == [
        ("REQUIRED", "input.subject"),
        ("REQUIRED", "input.body"),
    ]
    iqa = await cast("iqa")
    assert await iqa.refusal("messageSend", input={**empty, "subject": "x", "body": "x"}) == ("NOT_ALLOWED", None)
    admin = await cast("master.admin")
    assert [action for action, _ in await admin.trail(aim["id"])][:3] == ["messageSend"] * 3


async def test_resources_and_files_of_a_course(cast: Cast):
    learner, assessor = await cast("learner"), await cast("assessor")
    aim = await aim_of(assessor, await learner_id(assessor, "Maya Thornton"), STANDARD)
    before = (await learner.data(BUCKETS, id=aim["id"]))["aim"]
    material = {"aimId": aim["id"], "title": "Torque chart, new edition"}
    handed = {**material, "fileId": await sent(learner, files.pdf("Torque chart"))}
    assert await learner.refusal("resourceAdd", input=handed) == ("NOT_ALLOWED", None)
    resource = await assessor.do(
        "resourceAdd", input={**material, "fileId": await sent(assessor, files.pdf("Torque chart"))}
    )
    of_course = {**material, "title": "Course plan", "bucket": "FILES_FROM_COURSE"}
    await assessor.do("resourceAdd", input={**of_course, "fileId": await sent(assessor, files.pdf("Course handbook"))})
    now = (await learner.data(BUCKETS, id=aim["id"]))["aim"]
    assert now["resourceCount"] == before["resourceCount"] + 1 == len(now["resources"])
    assert "Torque chart, new edition" in [one["title"] for one in now["resources"]]
    assert "Course plan" in [one["title"] for one in now["files"]]
    assert await learner.download(resource["file"]["id"]) == files.pdf("Torque chart").content
    removed = await assessor.do("resourceRemove", id=resource["id"])
    assert removed == resource["id"]
    assert (await learner.data(BUCKETS, id=aim["id"]))["aim"]["resourceCount"] == before["resourceCount"]


async def test_the_cv_is_saved_section_by_section(cast: Cast):
    learner, manager = await cast("learner"), await cast("employer.manager")
    maya = await learner_id(learner, "Maya Thornton")
    for name in ("PERSONAL_PROFILE", "EDUCATION", "EMPLOYMENT", "SKILLS", "INTERESTS"):
        saved = await learner.do("cvSectionSave", name=name, text=f"My {name.lower()}.")
        assert {"name": name, "text": f"My {name.lower()}."} in saved["cv"]["sections"]
    assert [one["text"] for one in saved["cv"]["sections"]].count("My skills.") == 1
    for kind in ("CV", "JOB_DESCRIPTION", "COMPANY_PROFILE", "OTHER"):
        file_id = await sent(learner, files.docx("Curriculum vitae"))
        saved = await learner.do("cvDocumentAdd", kind=kind, fileId=file_id)
        assert (kind, file_id) in [(one["kind"], one["file"]["id"]) for one in saved["cv"]["documents"]]
    assert await manager.download(file_id) == files.docx("Curriculum vitae").content
    assert (await manager.seen("Learner", maya))["cv"] == saved["cv"]
    assert await manager.refusal("cvSectionSave", name="SKILLS", text="Theirs.") == ("NOT_ALLOWED", None)
    photo = await cast("assessor")
    shown = await photo.do("learnerUpdate", id=maya, input={"photoFileId": await sent(photo, files.portrait(3))})
    assert await learner.download(shown["photo"]["id"]) == files.portrait(3).content
