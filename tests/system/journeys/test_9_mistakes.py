"""Journey 9: everyday mistakes are corrected, and what depends on them changes at once."""

import datetime as dt

from domain import clock
from services.demo import sample_files as files
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import MATHEMATICS, aim_of, criteria, employer_id, learner_id, user_id
from tests.support.smtp_server import Post, link_in
from tests.system.journeys.test_2_evidence import WORDS, sent


async def test_evidence_is_taken_back_with_what_it_signed_off(clients: Clients):
    learner, assessor, iqa = await clients("learner"), await clients("assessor"), await clients("iqa")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of(assessor, maya, MATHEMATICS)
    evidence = await learner.mutate(
        "evidenceSubmit", input={**WORDS, "aimId": aim["id"], "fileId": await sent(learner), "password": PASSWORD}
    )
    id = evidence["id"]
    await learner.mutate("evidenceUpdate", id=id, input={"title": "Wheel truing, front"})
    left = [*criteria(aim, "NOT_STARTED"), *criteria(aim, "IN_PROGRESS")]
    judged = {"assessmentMethods": ["PRODUCT"], "mappings": [{"criterionId": one, "signOff": True} for one in left]}
    evidence = await assessor.mutate("evidenceAssess", id=id, input=judged)
    unit = aim["units"][-1]["id"]
    assert (await assessor.mutate("unitSign", id=unit, password=PASSWORD))["signedOff"]
    assert await learner.user_errors("evidenceUpdate", id=id, input={"title": "Other"}) == {"id": "CONFLICT"}
    last = criteria({"units": [aim["units"][-1]]}, "NOT_STARTED")[-1:] or left[-1:]
    evidence = await assessor.mutate("evidenceUnmap", id=id, criterionIds=last)
    shown = await iqa.read("Unit", unit)
    assert not shown["signedOff"]
    # The demo has one that was withdrawn before.
    withdrawn = [one for one in shown["signatures"] if one["withdrawnAt"]][-1]
    assert withdrawn["withdrawnReason"] == "Evidence was removed from the unit."
    assert "is the work of Maya Thornton" in withdrawn["statement"]
    evidence = await assessor.mutate("evidenceWithdraw", id=id, reason="Another learner's wheel.")
    assert (evidence["status"], evidence["mappings"]) == ("WITHDRAWN", [])
    assert evidence["aim"]["progress"]["criteriaMapped"] == aim["progress"]["criteriaMapped"]
    assert (await learner.read("Evidence", id))["withdrawnReason"] == "Another learner's wheel."


async def test_a_session_an_action_and_an_approval_are_taken_back(clients: Clients):
    learner, assessor = await clients("learner"), await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    starts = clock.now() - dt.timedelta(hours=30)
    booking = {"learnerId": maya, "type": "GENERAL", "startsAt": starts.isoformat()}
    ends = (starts + dt.timedelta(hours=1)).isoformat()
    session = await assessor.mutate("sessionBook", input={**booking, "endsAt": ends})
    minutes = session["learner"]["offTheJob"]["actualMinutes"]
    session = await assessor.mutate("sessionComplete", id=session["id"], input={"attended": True})
    session = await assessor.mutate("sessionReopen", id=session["id"], reason="Maya was ill.")
    assert (session["status"], session["learner"]["offTheJob"]["actualMinutes"]) == ("PLANNED", minutes)
    await assessor.mutate("sessionComplete", id=session["id"], input={"attended": False})
    session = await assessor.mutate("sessionUpdate", id=session["id"], input={"feedback": "We meet next week."})
    assert (session["status"], session["feedback"]) == ("NOT_ATTENDED", "We meet next week.")
    asked = {
        "learnerId": maya, "kind": "ACTION", "title": "Read", "description": "All.", "sessionId": session["id"],
        "targetDate": clock.today().isoformat(),
    }  # fmt: skip
    action = await assessor.mutate("actionSet", input=asked)
    payload = await assessor.payload("actionDelete", id=action["id"], reason="Set twice.")
    assert (payload["deletedId"], payload["session"]["hasOutstandingActions"]) == (action["id"], False)
    entry = {
        "learnerId": maya, "date": clock.today().isoformat(), "activityType": "COACHING_OR_MENTORING", "minutes": 20,
        "comments": "Shadowing.",
    }  # fmt: skip
    entry = (await learner.mutate("timeLogEntryAdd", input=entry))["id"]
    await assessor.payload("timeLogEntryApprove", ids=[entry])
    payload = await assessor.payload("timeLogEntryUnapprove", ids=[entry])
    assert [one["approvedAt"] for one in payload["timeLogEntries"]] == [None]


async def test_a_document_and_a_photo_are_replaced(clients: Clients):
    learner = await clients("learner")
    document = await sent(learner)
    await learner.mutate("cvDocumentAdd", kind="OTHER", fileId=document)
    cv = (await learner.mutate("cvDocumentRemove", fileId=document))["cv"]
    assert document not in [one["file"]["id"] for one in cv["documents"]]
    picture = files.portrait(2)
    photo = await learner.upload(picture.name, picture.content_type, picture.content)
    assert (await learner.payload("photoSet", fileId=photo))["user"]["photo"]["id"] == photo


async def test_a_learner_with_a_wrong_address_gets_the_invitation_after_all(clients: Clients, post: Post):
    assessor, admin = await clients("assessor"), await clients("master.admin")
    site = await employer_id(assessor, "Harbour Cycles Quay")
    enrolled = {"name": "Ana Brito", "email": "ana@wrong.example", "uln": None, "employerId": site}
    learner = await assessor.mutate("learnerEnrol", input=enrolled)
    person = await user_id(admin, "Ana Brito")
    await assessor.mutate("userUpdate", id=person, input={"name": "Anna Brito", "email": "anna@right.example"})
    await assessor.mutate("invitationResend", userId=person)
    assert await post.to("ana@wrong.example", "is being changed")
    for _ in range(2):  # The second replaces the first.
        invitation = await post.to("anna@right.example", "Your Waymark account")
    token = link_in(invitation).partition("token=")[2]
    anna = await clients.anonymous()
    chosen = {"token": token, "newPassword": "a heron on the weir"}
    payload = await anna.payload("passwordReset", input=chosen)
    assert (payload["errors"], payload["viewer"]["user"]["name"]) == ([], "Anna Brito")
    # A person who has signed in confirms a further change with a button on a page.
    await assessor.mutate("learnerUpdate", id=learner["id"], input={"email": "anna@home.example"})
    link = link_in(await post.to("anna@home.example", "Confirm your e-mail address"))
    path, _, token = link.partition("?token=")
    page = await anna.http.get("/email", params={"token": token})
    assert page.status_code == 200 and "This is my address" in page.text and path.endswith("/email")
    read = 'query($id: ID!) { learner(id: $id) { managers { id } } users(search: "Anna Brito") { nodes { email } } }'
    assert (await admin.data(read, id=learner["id"]))["users"]["nodes"] == [{"email": "anna@right.example"}]
    page = await anna.http.post("/email", data={"token": token})
    assert page.status_code == 200 and "Your address is confirmed" in page.text
    assert (await admin.data(read, id=learner["id"]))["users"]["nodes"] == [{"email": "anna@home.example"}]
    page = await anna.http.post("/email", data={"token": token})
    assert page.status_code == 422 and "has expired or was already used" in page.text


async def test_an_assessor_leaves(clients: Clients, post: Post):
    admin = await clients("master.admin")
    people = {"fromUserId": await user_id(admin, "Colin Marsden"), "toUserId": await user_id(admin, "Anjali Desai")}
    (error,) = (await admin.payload("userArchive", id=people["fromUserId"]))["errors"]
    assert error["code"] == "CONFLICT" and "components as assessor" in error["message"]
    payload = await admin.payload("assessorHandOver", input=people)
    assert payload["errors"] == [] and payload["aims"] and payload["sessions"]
    for record in (*payload["aims"], *payload["sessions"]):
        assert record["assessor"]["name"] == "Anjali Desai"
    assert "You are now the assessor of" in (await post.to("anjali.desai@northmoor.example")).get_content()
    assert (await admin.payload("userArchive", id=people["fromUserId"]))["errors"] == []
