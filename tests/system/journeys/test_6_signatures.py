"""Journey 6: several roles sign one document with password and digest, and the count falls."""

import re
from typing import Any

from services.demo import sample_files as files
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import learner_id
from tests.support.smtp_server import Post, link_in

ROLES = {
    "learner": "LEARNER", "employer.manager": "EMPLOYER_MANAGER", "employer.overview": "EMPLOYER_OVERVIEW",
    "iqa": "IQA", "assessor": "ASSESSOR",
}  # fmt: skip


async def request(assessor: HttpClient, title: str, *roles: str) -> dict[str, Any]:
    """Requests signatures of roles on a new document."""
    sample = files.pdf("12-week progress review")
    file_id = await assessor.upload(sample.name, sample.content_type, sample.content)
    maya = await learner_id(assessor, "Maya Thornton")
    asked = {"learnerId": maya, "title": title, "fileId": file_id, "roles": list(roles)}
    return await assessor.mutate("signatureRequestCreate", input=asked)


async def waiting(person: HttpClient) -> int:
    """Returns the count of documents to sign, and checks that it is the length of the list."""
    found = await person.data(
        "{ viewer { awaitingSignatureCount kpis { awaitingSignatureCount } "
        "signatureRequests(status: PENDING, first: 100) { nodes { awaitingViewer } } } }"
    )
    viewer = found["viewer"]
    count = viewer["awaitingSignatureCount"]
    assert count == viewer["kpis"]["awaitingSignatureCount"]
    assert count == sum(one["awaitingViewer"] for one in viewer["signatureRequests"]["nodes"])
    return count


async def test_each_role_signs_its_own_slot_and_the_count_falls(clients: Clients, post: Post):
    assessor = await clients("assessor")
    before = {username: await waiting(await clients(username)) for username in ROLES}
    asked = await request(assessor, "Progress review, week 36", *ROLES.values())
    assert (asked["status"], asked["awaitingViewer"]) == ("PENDING", True)
    for username in ("learner", "employer.manager", "employer.overview", "iqa"):
        message = await post.to(f"{username}@northmoor.example", "Please sign: Progress review, week 36")
        assert "Priya Raman asks you to sign" in message.get_content()
    # The user who requested the signatures gets no e-mail.
    assert not any("week 36" in subject for subject in post.waiting_for("assessor@northmoor.example"))

    for username, role in ROLES.items():
        person = await clients(username)
        assert await waiting(person) == before[username] + 1
        opened = await person.read("SignatureRequest", asked["id"])
        # The digest is that of the downloaded document.
        assert (await person.download(opened["document"]["id"])) == files.pdf("12-week progress review").content
        digest = opened["document"]["sha256"]
        other = {"id": asked["id"], "documentSha256": "0" * 64, "password": PASSWORD}
        assert await person.user_errors("signatureRequestSign", **other) == {"documentSha256": "CONFLICT"}
        guess = {"id": asked["id"], "documentSha256": digest, "password": "guess"}
        assert await person.user_errors("signatureRequestSign", **guess) == {"password": "WRONG_PASSWORD"}
        assert await waiting(person) == before[username] + 1

        right = {"id": asked["id"], "documentSha256": digest, "password": PASSWORD}
        signed = await person.mutate("signatureRequestSign", **right)
        (slot,) = [slot for slot in signed["slots"] if slot["role"] == role]
        assert (slot["documentSha256"], slot["signedBy"]["name"], signed["awaitingViewer"]) == (
            digest, (await person.data("{ viewer { user { name } } }"))["viewer"]["user"]["name"], False
        )  # fmt: skip
        assert await waiting(person) == before[username]
        # Signing again changes nothing and keeps the time of the first signature.
        assert await person.mutate("signatureRequestSign", **right) == signed
    assert signed["status"] == "COMPLETE"
    admin = await clients("master.admin")
    assert [action for action, _ in await admin.audit_trail(asked["id"])] == ["signatureRequestSign"] * 5 + [
        "signatureRequestCreate"
    ]


async def test_nobody_can_sign_in_another_role(clients: Clients):
    assessor, learner, admin = await clients("assessor"), await clients("learner"), await clients("master.admin")
    asked = await request(assessor, "Commitment statement", "LEARNER", "EMPLOYER_MANAGER")
    sign = {"id": asked["id"], "documentSha256": asked["document"]["sha256"], "password": PASSWORD}
    for person in (assessor, await clients("iqa"), await clients("employer.overview")):
        assert await person.user_errors("signatureRequestSign", **sign) == {"id": "NOT_ALLOWED"}
    assert await admin.user_errors("signatureRequestSign", **sign) == {None: "NOT_ALLOWED"}
    # A manager of the same site without an allocation does not see the document.
    assert await (await clients("stuart.nolan")).user_errors("signatureRequestSign", **sign) == {"id": "NOT_FOUND"}
    await learner.mutate("signatureRequestSign", **sign)
    cancelled = await assessor.mutate("signatureRequestCancel", id=asked["id"])
    assert (cancelled["status"], [bool(slot["signedBy"]) for slot in cancelled["slots"]]) == (
        "CANCELLED",
        [True, False],
    )
    manager = await clients("employer.manager")
    assert await manager.user_errors("signatureRequestSign", **sign) == {"id": "CONFLICT"}
    assert await assessor.user_errors("signatureRequestCancel", id=asked["id"]) == {"id": "CONFLICT"}
    nobody = {"learnerId": asked["learner"]["id"], "title": "x", "fileId": asked["document"]["id"], "roles": []}
    errors = await assessor.user_errors("signatureRequestCreate", input=nobody)
    assert list(errors.items()) == [("input.fileId", "CONFLICT"), ("input.roles", "REQUIRED")]


async def test_wrong_passwords_are_rate_limited(clients: Clients):
    assessor, overview = await clients("assessor"), await clients("employer.overview")
    asked = await request(assessor, "Safeguarding statement", "EMPLOYER_OVERVIEW")
    sign = {"id": asked["id"], "documentSha256": asked["document"]["sha256"]}
    codes = []
    for number in range(12):
        errors = await overview.user_errors("signatureRequestSign", **sign, password=f"guess {number}")
        codes += errors.values()
    # One wrong password was sent in the first of these tests.
    wrong = codes.count("WRONG_PASSWORD")
    assert wrong in (9, 10) and codes == ["WRONG_PASSWORD"] * wrong + ["TOO_MANY_ATTEMPTS"] * (12 - wrong)
    # Now the correct password is rejected too, in this session. A login elsewhere is not.
    assert await overview.user_errors("signatureRequestSign", **sign, password=PASSWORD) == {
        "password": "TOO_MANY_ATTEMPTS"
    }
    again = {"username": "employer.overview", "password": PASSWORD, "role": None}
    assert (await (await clients.anonymous()).payload("login", input=again))["accessToken"]
    assert (await overview.read("SignatureRequest", asked["id"]))["slots"][0]["signedBy"] is None
    master = await clients("master.admin")
    user = (await overview.data("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    assert ("signingRefused", "Duncan Frame") in await master.audit_trail(user)


async def test_somebody_without_an_account_signs_through_a_link(clients: Clients, post: Post):
    assessor, manager = await clients("assessor"), await clients("employer.manager")
    asked = await request(assessor, "Commitment statement, signed once", "EMPLOYER_MANAGER")
    guest = {"requestId": asked["id"], "role": "EMPLOYER_MANAGER", "name": "Jo Miller", "email": "jo@garage.example"}
    account = {**guest, "email": "Employer.Manager@northmoor.example"}
    assert await assessor.user_errors("guestSignatureInvite", **account) == {"email": "CONFLICT"}
    invited = await assessor.mutate("guestSignatureInvite", **guest)
    assert (invited["slots"][0]["guestEmail"], invited["slots"][0]["signedAt"]) == ("jo@garage.example", None)

    link = link_in(await post.to("jo@garage.example", "Please sign: Commitment statement, signed once"))
    browser = (await clients.anonymous()).http
    token = {"token": link.partition("token=")[2]}
    shown = await browser.get(link)
    assert shown.status_code == 200 and "Priya Raman of" in shown.text and "Maya Thornton" in shown.text
    opened = await browser.post("/sign/document", data=token)
    assert opened.status_code == 303
    document = await browser.get(opened.headers["location"])
    assert document.content == files.pdf("12-week progress review").content
    form = {**token, "name": "Joanna Miller"}
    assert (await browser.post("/sign/code", data=form)).status_code == 200
    message = (await post.to("jo@garage.example", "Your code to sign a document")).get_content()
    (code,) = re.findall(r"^(\d{8})\s*$", message, re.MULTILINE)
    done = await browser.post("/sign", data={**form, "code": code})
    assert done.status_code == 200 and "Your signature is recorded" in done.text

    signed = await assessor.read("SignatureRequest", asked["id"])
    (slot,) = signed["slots"]
    assert (signed["status"], slot["signedBy"], slot["guestEmail"]) == ("COMPLETE", None, "jo@garage.example")
    assert slot["documentSha256"] == asked["document"]["sha256"]
    assert slot["statement"].startswith("I, Joanna Miller, have opened and read")
    assert (await manager.read("SignatureRequest", asked["id"]))["slots"][0]["guestEmail"] is None
    right = {"id": asked["id"], "documentSha256": slot["documentSha256"], "password": PASSWORD}
    assert await manager.user_errors("signatureRequestSign", **right) == {"id": "CONFLICT"}
    assert [action for action, _ in await (await clients("master.admin")).audit_trail(asked["id"])] == [
        "guestSignatureSign", "guestSignatureOpen", "guestSignatureInvite", "signatureRequestCreate"
    ]  # fmt: skip
    assert (await browser.get(link)).status_code == 410


async def test_a_manager_signs_several_documents_at_once(clients: Clients):
    assessor, manager = await clients("assessor"), await clients("employer.manager")
    before = await waiting(manager)
    asked = [await request(assessor, f"Form {number}", "EMPLOYER_MANAGER") for number in range(3)]
    documents = [{"id": one["id"], "documentSha256": one["document"]["sha256"]} for one in asked]
    documents[1]["documentSha256"] = "0" * 64
    payload = await manager.payload("signatureRequestSignMany", documents=documents, password=PASSWORD)
    assert [each["title"] for each in payload["signatureRequests"]] == ["Form 0", "Form 2"]
    (error,) = payload["errors"]
    assert (error["code"], error["field"]) == ("CONFLICT", ["documents", "1", "documentSha256"])
    assert await waiting(manager) == before + 1
