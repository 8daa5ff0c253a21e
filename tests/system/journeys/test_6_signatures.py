"""Journey 6: several roles sign one document, each in their own place, with password and digest; the number falls."""

from typing import Any

from services.demo import sample_files as files
from tests.support.client import Actor, Cast
from tests.support.http_server import PASSWORD
from tests.support.lookup import learner_id
from tests.support.smtp_server import Post

ROLES = {
    "learner": "LEARNER", "employer.manager": "EMPLOYER_MANAGER", "employer.overview": "EMPLOYER_OVERVIEW",
    "iqa": "IQA", "assessor": "ASSESSOR",
}  # fmt: skip


async def request(assessor: Actor, title: str, *roles: str) -> dict[str, Any]:
    """A new document for roles to sign."""
    sample = files.pdf("12-week progress review")
    file_id = await assessor.upload(sample.name, sample.content_type, sample.content)
    maya = await learner_id(assessor, "Maya Thornton")
    asked = {"learnerId": maya, "title": title, "fileId": file_id, "roles": list(roles)}
    return await assessor.do("signatureRequestCreate", input=asked)


async def waiting(person: Actor) -> int:
    """The number on the icon, which is the number of documents behind it."""
    found = await person.data(
        "{ viewer { awaitingSignatureCount kpis { awaitingSignatureCount } "
        "signatureRequests(status: PENDING, first: 100) { nodes { awaitingViewer } } } }"
    )
    viewer = found["viewer"]
    count = viewer["awaitingSignatureCount"]
    assert count == viewer["kpis"]["awaitingSignatureCount"]
    assert count == sum(one["awaitingViewer"] for one in viewer["signatureRequests"]["nodes"])
    return count


async def test_each_role_signs_its_own_place_and_the_number_falls(cast: Cast, post: Post):
    assessor = await cast("assessor")
    before = {username: await waiting(await cast(username)) for username in ROLES}
    asked = await request(assessor, "Progress review, week 36", *ROLES.values())
    assert (asked["status"], asked["awaitingViewer"]) == ("PENDING", True)
    for username in ("learner", "employer.manager", "employer.overview", "iqa"):
        message = await post.to(f"{username}@northmoor.example", "Please sign: Progress review, week 36")
        assert "Priya Raman asks you to sign" in message.get_content()
    # Nobody is told what they did themselves.
    assert not any("week 36" in subject for subject in post.waiting_for("assessor@northmoor.example"))

    for username, role in ROLES.items():
        person = await cast(username)
        assert await waiting(person) == before[username] + 1
        opened = await person.seen("SignatureRequest", asked["id"])
        # What is opened is what is signed.
        assert (await person.download(opened["document"]["id"])) == files.pdf("12-week progress review").content
        digest = opened["document"]["sha256"]
        other = {"id": asked["id"], "documentSha256": "0" * 64, "password": PASSWORD}
        assert await person.refusal("signatureRequestSign", **other) == ("CONFLICT", "documentSha256")
        guess = {"id": asked["id"], "documentSha256": digest, "password": "guess"}
        assert await person.refusal("signatureRequestSign", **guess) == ("WRONG_PASSWORD", "password")
        assert await waiting(person) == before[username] + 1

        right = {"id": asked["id"], "documentSha256": digest, "password": PASSWORD}
        signed = await person.do("signatureRequestSign", **right)
        (slot,) = [slot for slot in signed["slots"] if slot["role"] == role]
        assert (slot["documentSha256"], slot["signedBy"]["name"], signed["awaitingViewer"]) == (
            digest, (await person.data("{ viewer { user { name } } }"))["viewer"]["user"]["name"], False
        )  # fmt: skip
        assert await waiting(person) == before[username]
        # Twice changes nothing: the first stamp stands.
        assert await person.do("signatureRequestSign", **right) == signed
    assert signed["status"] == "COMPLETE"
    admin = await cast("master.admin")
    assert [action for action, _ in await admin.trail(asked["id"])] == ["signatureRequestSign"] * 5 + [
        "signatureRequestCreate"
    ]


async def test_nobody_signs_for_another(cast: Cast):
    assessor, learner, admin = await cast("assessor"), await cast("learner"), await cast("master.admin")
    asked = await request(assessor, "Commitment statement", "LEARNER", "EMPLOYER_MANAGER")
    sign = {"id": asked["id"], "documentSha256": asked["document"]["sha256"], "password": PASSWORD}
    for person in (assessor, await cast("iqa"), await cast("employer.overview")):
        assert await person.refusal("signatureRequestSign", **sign) == ("NOT_ALLOWED", "id")
    assert await admin.refusal("signatureRequestSign", **sign) == ("NOT_ALLOWED", None)
    # A manager of the same site to whom the learner is not allocated does not even see it.
    assert await (await cast("stuart.nolan")).refusal("signatureRequestSign", **sign) == ("NOT_FOUND", "id")
    await learner.do("signatureRequestSign", **sign)
    cancelled = await assessor.do("signatureRequestCancel", id=asked["id"])
    assert (cancelled["status"], [bool(slot["signedBy"]) for slot in cancelled["slots"]]) == (
        "CANCELLED",
        [True, False],
    )
    manager = await cast("employer.manager")
    assert await manager.refusal("signatureRequestSign", **sign) == ("CONFLICT", "id")
    assert await assessor.refusal("signatureRequestCancel", id=asked["id"]) == ("CONFLICT", "id")
    nobody = {"learnerId": asked["learner"]["id"], "title": "x", "fileId": asked["document"]["id"], "roles": []}
    assert await assessor.refusals("signatureRequestCreate", input=nobody) == [
        ("CONFLICT", "input.fileId"), ("REQUIRED", "input.roles")
    ]  # fmt: skip


async def test_wrong_passwords_slow_down(cast: Cast):
    assessor, overview = await cast("assessor"), await cast("employer.overview")
    asked = await request(assessor, "Safeguarding statement", "EMPLOYER_OVERVIEW")
    sign = {"id": asked["id"], "documentSha256": asked["document"]["sha256"]}
    codes = [(await overview.refusal("signatureRequestSign", **sign, password=f"guess {n}"))[0] for n in range(12)]
    # One was wrong before, in the first of these tests.
    wrong = codes.count("WRONG_PASSWORD")
    assert wrong in (9, 10) and codes == ["WRONG_PASSWORD"] * wrong + ["TOO_MANY_ATTEMPTS"] * (12 - wrong)
    # Now the right one is not listened to either, for signing or for signing in.
    assert await overview.refusal("signatureRequestSign", **sign, password=PASSWORD) == (
        "TOO_MANY_ATTEMPTS",
        "password",
    )
    again = {"username": "employer.overview", "password": PASSWORD, "role": None}
    assert await (await cast.stranger()).refusal("login", input=again) == ("TOO_MANY_ATTEMPTS", "input")
    assert (await overview.seen("SignatureRequest", asked["id"]))["slots"][0]["signedBy"] is None
    master = await cast("master.admin")
    user = (await overview.data("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    assert ("signingRefused", "Duncan Frame") in await master.trail(user)
