"""What was added by mistake goes: actions, approvals, documents of a CV, photos."""

from db.models.action import Action
from db.models.change_reason import ChangeReason
from db.models.cv import CvDocument
from db.models.learner import Learner
from domain import clock
from tests.resolvers.evidence.test_submission import submitted
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

PHOTO = "query($id: ID!) { learner(id: $id) { photo { id } managers { photo { id } } } }"


async def action(scenario: EmptyPortfolio) -> str:
    files = [await scenario.upload("assessor")]
    asked = {
        "learnerId": scenario.ada, "aimId": scenario.aim, "kind": "ACTION", "title": "Read", "description": "All",
        "targetDate": clock.today().isoformat(), "acceptsEvidence": True, "fileIds": files,
    }  # fmt: skip
    return (await scenario.client("assessor").mutate("actionSet", input=asked))["id"]


async def test_an_action_that_was_set_twice_is_deleted(scenario: EmptyPortfolio) -> None:
    id, assessor = await action(scenario), scenario.client("assessor")
    for who, code in (("learner", "NOT_ALLOWED"), ("basic", "NOT_ALLOWED")):
        assert await scenario.client(who).user_errors("actionDelete", id=id, reason="Twice") == {None: code}
    assert await scenario.client("other_assessor").user_errors("actionDelete", id=id, reason="Twice") == {
        "id": "NOT_FOUND"
    }
    assert await assessor.user_errors("actionDelete", id=id, reason="") == {"reason": "REQUIRED"}
    payload = await assessor.payload("actionDelete", id=id, reason="Twice")
    assert (payload["deletedId"], payload["session"], payload["errors"]) == (id, None, [])
    assert payload["learner"]["outstandingActionCount"] == 0
    assert await scenario.rows(Action) == []
    assert [row.reason for row in await scenario.rows(ChangeReason)] == ["Twice"]
    assert await assessor.user_errors("actionDelete", id=id, reason="Twice") == {"id": "NOT_FOUND"}


async def test_an_action_with_evidence_is_not_deleted(scenario: EmptyPortfolio) -> None:
    id, assessor = await action(scenario), scenario.client("assessor")
    evidence = await submitted(scenario, action_id=id)
    assert await assessor.user_errors("actionDelete", id=id, reason="Twice") == {"id": "CONFLICT"}
    await assessor.mutate("evidenceWithdraw", id=evidence, reason="Wrong file")
    assert (await assessor.payload("actionDelete", id=id, reason="Twice"))["deletedId"] == id
    read = "query($id: ID!) { evidence(id: $id) { status action { id } } }"
    assert (await assessor.data(read, id=evidence))["evidence"] == {"status": "WITHDRAWN", "action": None}


async def test_an_approval_is_taken_back(scenario: EmptyPortfolio) -> None:
    entry = {
        "learnerId": scenario.ada, "aimId": scenario.aim, "date": clock.today().isoformat(), "minutes": 30,
        "activityType": "COACHING_OR_MENTORING", "comments": "Shadowing",
    }  # fmt: skip
    learner, assessor = scenario.client("learner"), scenario.client("assessor")
    id = (await learner.mutate("timeLogEntryAdd", input=entry))["id"]
    await assessor.payload("timeLogEntryApprove", ids=[id])
    assert await learner.user_errors("timeLogEntryUpdate", id=id, input=entry) == {"id": "NOT_ALLOWED"}
    assert await learner.user_errors("timeLogEntryUnapprove", ids=[id]) == {None: "NOT_ALLOWED"}
    assert await scenario.client("master").user_errors("timeLogEntryUnapprove", ids=[id]) == {None: "NOT_ALLOWED"}
    for _ in range(2):
        (shown,) = (await assessor.payload("timeLogEntryUnapprove", ids=[id]))["timeLogEntries"]
        assert (shown["approvedBy"], shown["approvedAt"]) == (None, None)
    assert (await scenario.audit_trail()).count("timeLogEntryUnapprove") == 1
    assert (await learner.mutate("timeLogEntryUpdate", id=id, input={**entry, "minutes": 40}))["minutes"] == 40


async def test_a_document_leaves_the_cv(scenario: EmptyPortfolio) -> None:
    learner, file = scenario.client("learner"), await scenario.upload("learner")
    await learner.mutate("cvDocumentAdd", kind="CV", fileId=file)
    other = await scenario.upload("learner")
    assert await learner.user_errors("cvDocumentRemove", fileId=other) == {"fileId": "NOT_FOUND"}
    assert await scenario.client("assessor").user_errors("cvDocumentRemove", fileId=file) == {None: "NOT_ALLOWED"}
    assert (await learner.mutate("cvDocumentRemove", fileId=file))["cv"]["documents"] == []
    assert await scenario.rows(CvDocument) == []


async def test_a_learner_sets_and_removes_their_photo(scenario: EmptyPortfolio) -> None:
    learner, photo = scenario.client("learner"), await scenario.upload("learner", content_type="image/png")
    text = await scenario.upload("learner")
    assert await learner.user_errors("photoSet", fileId=text) == {"fileId": "INVALID"}
    assert await scenario.client("assessor").user_errors("photoSet", fileId=None) == {None: "NOT_ALLOWED"}
    assert (await learner.payload("photoSet", fileId=photo))["user"]["photo"]["id"] == photo
    seen = (await scenario.client("manager").data(PHOTO, id=scenario.ada))["learner"]
    assert seen["photo"] == {"id": photo} and [each["photo"] for each in seen["managers"]] == [None, None]
    assert (await learner.payload("photoSet", fileId=None))["user"]["photo"] is None
    assert [row.photo_file_id for row in await scenario.rows(Learner)][0] is None
