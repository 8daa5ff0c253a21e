"""Journey 9: what waits is a task until it is done; the e-mails about it come by SMTP and are ended by their link."""

import datetime as dt

import httpx2
from sqlalchemy import select

from db.models.outbox import OutboxMail
from domain import clock
from resolvers.task_email import TaskEmails
from services.demo import sample_files as files
from services.mail.task_messages import TASKS_TODAY
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import learner_id
from tests.support.smtp_server import Post

WAITING = "{ viewer { tasks(kinds: [SIGN_DOCUMENT], first: 100) { nodes { id title subject { id } } } } }"
OF_MAYA = "learner@northmoor.example"


async def test_a_document_is_a_task_until_it_is_signed(clients: Clients, post: Post):
    assessor, learner = await clients("assessor"), await clients("learner")
    maya = await learner_id(assessor, "Maya Thornton")

    async def request(title: str) -> str:
        sample = files.pdf("12-week progress review")
        file_id = await assessor.upload(sample.name, sample.content_type, sample.content)
        asked = {"learnerId": maya, "title": title, "fileId": file_id, "roles": ["LEARNER"]}
        return (await assessor.mutate("signatureRequestCreate", input=asked))["id"]

    async def waiting() -> dict[str, str]:
        nodes = (await learner.data(WAITING))["viewer"]["tasks"]["nodes"]
        return {task["subject"]["id"]: task["title"] for task in nodes}

    document = await request("Training plan, revised")
    assert (await waiting())[document] == "Sign the document: Training plan, revised"
    mail = await post.to(OF_MAYA, "Please sign: Training plan, revised")
    ends = mail["List-Unsubscribe"].strip("<>")
    assert ends in mail.get_content()
    async with httpx2.AsyncClient() as reader:
        # The button of the mail program.
        assert (await reader.post(ends, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    other = await request("Training plan, final")
    assert not any("final" in subject for subject in post.waiting_for(OF_MAYA))

    # One e-mail a day says what waits, at the hour that she chooses.
    await learner.mutate("notificationSettingsUpdate", input={"digestHour": 7, "emailFor": ["SIGN_DOCUMENT"]})
    viewer = (await learner.data("{ viewer { notificationSettings { emailFor } } }"))["viewer"]
    assert viewer["notificationSettings"]["emailFor"] == ["SIGN_DOCUMENT"]
    tomorrow = clock.london_time(clock.today() + dt.timedelta(days=1), 7)
    services = clients.running.server.services
    assert await TaskEmails(services).send_due(tomorrow) == 1
    async with services.database.writing() as session:
        [daily] = await session.scalars(select(OutboxMail).where(OutboxMail.kind == TASKS_TODAY))
    assert daily.to_address == OF_MAYA and "Training plan, final" in daily.body

    for id in (document, other):
        digest = (await learner.read("SignatureRequest", id))["document"]["sha256"]
        await learner.mutate("signatureRequestSign", id=id, documentSha256=digest, password=PASSWORD)
        assert id not in await waiting()
