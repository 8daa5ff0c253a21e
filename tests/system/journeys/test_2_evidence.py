"""Journey 2: evidence is uploaded, submitted, returned, resubmitted, mapped and signed off; every number follows."""

import hashlib

from services.demo import sample_files as files
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import DIPLOMA, STANDARD, aim_of, criteria, learner_id
from tests.support.smtp_server import Post

FIRST, BETTER = files.pdf("Brake bleed log"), files.docx("Reflective account")
WORDS = {
    "title": "Brake bleed, hydraulic disc", "description": "What I did and why.", "declareOwnWork": True,
    "password": PASSWORD, "actionId": None,
}  # fmt: skip


async def sent(person: HttpClient, sample: files.SampleFile = FIRST) -> str:
    return await person.upload(sample.name, sample.content_type, sample.content)


async def test_evidence_is_submitted_assessed_and_signed_off(clients: Clients, post: Post):
    learner, assessor, manager = await clients("learner"), await clients("assessor"), await clients("employer.manager")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of(learner, maya, DIPLOMA)
    assert aim["trafficLight"] == "OFF_TRACK"
    start, kpis = aim["progress"], {who: await who.kpis() for who in (learner, assessor, manager)}

    # Upload: the downloaded bytes are those that were sent.
    file_id = await sent(learner)
    assert await learner.download(file_id) == FIRST.content
    submission = {**WORDS, "aimId": aim["id"], "fileId": file_id}

    # Without declaration and password nothing is stored; all errors are reported together.
    assert await learner.user_errors("evidenceSubmit", input={**submission, "password": "guess"}) == {
        "input.password": "WRONG_PASSWORD"
    }
    errors = await learner.user_errors("evidenceSubmit", input={**submission, "title": " ", "declareOwnWork": False})
    assert list(errors.items()) == [("input.title", "REQUIRED"), ("input.declareOwnWork", "REQUIRED")]
    evidence = await learner.mutate("evidenceSubmit", input=submission)
    assert (evidence["status"], evidence["mappings"]) == ("SUBMITTED", [])
    assert evidence["file"]["sha256"] == hashlib.sha256(FIRST.content).hexdigest()
    assert [(one["role"], one["signedBy"]["name"]) for one in evidence["signatures"]] == [("LEARNER", "Maya Thornton")]
    # An upload changes no progress, but the assessor has one more to assess.
    assert evidence["aim"]["progress"]["mappedPercent"] == round(
        100 * start["criteriaMapped"] / start["criteriaTotal"], 1
    )
    for who, before in kpis.items():
        assert (await who.kpis())["awaitingAssessmentCount"] == before["awaitingAssessmentCount"] + 1
    assert await learner.user_errors("evidenceSubmit", input=submission) == {"input.fileId": "CONFLICT"}

    # Return: the learner gets the points for improvement by e-mail.
    judged = {"mappings": [], "assessmentMethods": ["PRODUCT"], "feedback": None}
    assert await learner.user_errors("evidenceAssess", id=evidence["id"], input=judged) == {None: "NOT_ALLOWED"}
    assert await learner.user_errors("evidenceReturn", id=evidence["id"], pointsForImprovement="No") == {
        None: "NOT_ALLOWED"
    }
    points = "Say which fluid you used, and why."
    evidence = await assessor.mutate("evidenceReturn", id=evidence["id"], pointsForImprovement=points)
    assert (evidence["status"], evidence["pointsForImprovement"]) == ("RETURNED", points)
    message = await post.to("learner@northmoor.example", "Points for improvement")
    assert f"> {points}" in message.get_content()
    for who, before in kpis.items():
        assert (await who.kpis())["awaitingAssessmentCount"] == before["awaitingAssessmentCount"]

    # Resubmission as a new version, with a comment: the assessor gets an e-mail.
    again = {"fileId": await sent(learner, BETTER), "comment": "DOT 5.1, as the caliper asks for it."}
    evidence = await learner.mutate("evidenceResubmit", id=evidence["id"], input=again)
    assert (evidence["status"], [one["comment"] for one in evidence["versions"]]) == (
        "RESUBMITTED", [None, again["comment"]]
    )  # fmt: skip
    assert await learner.download(evidence["versions"][0]["file"]["id"]) == FIRST.content
    assert await assessor.download(evidence["file"]["id"]) == BETTER.content
    message = await post.to("assessor@northmoor.example", "Ready for assessment")
    assert f"> {again['comment']}" in message.get_content()
    twice = await learner.user_errors("evidenceResubmit", id=evidence["id"], input=again)
    assert list(twice.items()) == [("id", "CONFLICT")]
    evidence = await learner.mutate("evidenceSign", id=evidence["id"], password=PASSWORD)
    assert [one["role"] for one in evidence["signatures"]] == ["LEARNER"]

    # Mapping and sign-off: the payload has the new map, bars, light and KPIs.
    open_ = criteria(aim, "NOT_STARTED")
    mapped, met = open_[:45], open_[:20]
    judged = {
        "mappings": [{"criterionId": one, "signOff": one in met} for one in mapped],
        "assessmentMethods": ["PRODUCT", "QUESTION_AND_ANSWER"], "feedback": "Clear and safe.",
    }  # fmt: skip
    evidence = await assessor.mutate("evidenceAssess", id=evidence["id"], input=judged)
    now = evidence["aim"]["progress"]
    assert (evidence["status"], evidence["assessmentMethods"]) == ("ASSESSED", ["PRODUCT", "QUESTION_AND_ANSWER"])
    assert (now["criteriaMapped"], now["criteriaSignedOff"]) == (
        start["criteriaMapped"] + 45, start["criteriaSignedOff"] + 20
    )  # fmt: skip
    assert evidence["aim"]["trafficLight"] == "AHEAD"
    assert (
        evidence["learner"]["progress"]["criteriaMapped"]
        == (await learner.read("Learner", maya))["progress"]["criteriaMapped"]
    )
    standing = {one["criterion"]["id"]: (one["criterion"]["status"], one["signedOff"]) for one in evidence["mappings"]}
    assert standing == {one: ("SIGNED_OFF", True) if one in met else ("IN_PROGRESS", False) for one in mapped}
    map_ = await aim_of(manager, maya, DIPLOMA)
    assert set(mapped) & set(criteria(map_, "NOT_STARTED")) == set()
    assert set(met) <= set(criteria(map_, "SIGNED_OFF"))
    for who, before in kpis.items():
        after = await who.kpis()
        assert (after["offTrackCount"], after["aheadCount"]) == (before["offTrackCount"] - 1, before["aheadCount"] + 1)
        assert after["progress"]["criteriaMapped"] == before["progress"]["criteriaMapped"] + 45
        assert after["progress"]["criteriaSignedOff"] == before["progress"]["criteriaSignedOff"] + 20

    # PDFs: the map with what is left to do, and the Record of Achievement.
    exports = await learner.data(
        "query($id: ID!) { aim(id: $id) { all: progressMapExport { url } "
        "left: progressMapExport(filter: NON_COMPLETED) { url } recordOfAchievementExport { url } } }",
        id=aim["id"],
    )
    for name in ("all", "left", "recordOfAchievementExport"):
        answer = await learner.fetch(exports["aim"][name]["url"])
        assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")

    admin = await clients("master.admin")
    assert await admin.audit_trail(evidence["id"]) == [
        ("evidenceAssess", "Priya Raman"), ("evidenceSign", "Maya Thornton"), ("evidenceResubmit", "Maya Thornton"),
        ("evidenceReturn", "Priya Raman"), ("evidenceSubmit", "Maya Thornton"),
    ]  # fmt: skip


async def test_evidence_from_an_employer_is_seen_by_learner_and_assessor(clients: Clients):
    learner, assessor = await clients("learner"), await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of(assessor, maya, STANDARD)
    for username, role in (("employer.manager", "EMPLOYER_MANAGER"), ("employer.overview", "EMPLOYER_OVERVIEW")):
        employer = await clients(username)
        statement = files.stored("witness-statement.txt")
        file_id = await sent(employer, statement)
        submission = {
            **WORDS,
            "aimId": aim["id"],
            "fileId": file_id,
            "declareOwnWork": False,
            "title": f"Seen by {role}",
        }
        evidence = await employer.mutate("evidenceSubmit", input=submission)
        assert [one["role"] for one in evidence["signatures"]] == [role]
        for other in (learner, assessor):
            assert (await other.read("Evidence", evidence["id"]))["title"] == f"Seen by {role}"
            assert await other.download(evidence["file"]["id"]) == statement.content
    colleague = await clients("stuart.nolan")
    submission = {**WORDS, "aimId": aim["id"], "fileId": await sent(colleague)}
    assert await colleague.user_errors("evidenceSubmit", input=submission) == {"input.aimId": "NOT_FOUND"}


async def test_a_file_with_another_content_type_is_rejected(clients: Clients):
    learner = await clients("learner")
    announced = {"name": "photo.png", "contentType": "image/png", "size": 9}
    place = await learner.mutate("fileUploadCreate", input=announced)
    headers = {one["name"]: one["value"] for one in place["headers"]}
    assert (await learner.http.put(place["url"], content=b"<script>!", headers=headers)).status_code == 415
    assert (await learner.http.put(place["url"], content=b"longer than nine", headers=headers)).status_code == 413
    altered = await learner.http.put(place["url"][:-2] + "xx", content=b"123456789", headers=headers)
    assert altered.status_code == 403
    errors = await learner.user_errors("fileUploadCreate", input={**announced, "name": "tool.exe"})
    assert errors == {"input.name": "INVALID"}
    submission = {**WORDS, "aimId": (await aim_of(learner, await learner_id(learner, "Maya"), STANDARD))["id"]}
    errors = await learner.user_errors("evidenceSubmit", input={**submission, "fileId": place["fileId"]})
    assert errors == {"input.fileId": "INVALID"}
