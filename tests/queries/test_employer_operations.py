"""The employer app's saved mutations, run as an Employer Manager over the demo: cost, number of statements, result."""

from typing import Any

import httpx2

from tests.queries.conftest import OperationRunner
from tests.queries.test_saved_operations import check, run_mutation
from tests.support.http_server import PASSWORD
from tests.support.push_service import Browser

ROLE = "EMPLOYER_MANAGER"
UNITS = """{ learners(first: 6) { nodes { id aims { units {
    id criteriaComplete viewerActions(mutations: ["unitSign"]) { allowed }
    signatures { role signedAt withdrawnAt }
} } } } }"""


async def run(runner: OperationRunner, backend: str, name: str, role: str = ROLE, **variables: Any) -> dict[str, Any]:
    """Runs a mutation, checks its cost, and returns its payload."""
    result = await run_mutation(runner, role, name, variables)
    if role == ROLE:
        check(name, backend, {role: result})
    return result[0]


async def upload(runner: OperationRunner, content: bytes) -> str:
    given = {"input": {"name": "gears.txt", "contentType": "text/plain", "size": len(content)}}
    payload, _, _ = await run_mutation(runner, ROLE, "file_upload_create", given)
    headers = {header["name"]: header["value"] for header in payload["upload"]["headers"]}
    async with httpx2.AsyncClient() as http:
        assert (await http.put(payload["upload"]["url"], content=content, headers=headers)).is_success
    return payload["upload"]["fileId"]


async def task(runner: OperationRunner, kind: str) -> dict[str, Any]:
    found = (await runner.run(ROLE, "employer_tasks", {})).data["viewer"]["tasks"]["nodes"]
    return next(each for each in found if each["kind"] == kind)


async def test_time_is_confirmed(own_runner: OperationRunner, backend: str):
    waiting = (await own_runner.run(ROLE, "time_to_confirm", {})).data["viewer"]["tasks"]
    ids = [waiting["nodes"][0]["subject"]["id"]]
    payload = await run(own_runner, backend, "confirm_time", ids=ids)
    assert all(entry["employerConfirmedAt"] for entry in payload["timeLogEntries"])
    left = (await own_runner.run(ROLE, "time_to_confirm", {})).data["viewer"]["tasks"]
    assert left["totalCount"] == waiting["totalCount"] - 1


async def test_a_review_is_answered_and_one_is_signed(own_runner: OperationRunner, backend: str):
    listed = (await own_runner.run(ROLE, "employer_learners", {})).data["learners"]["nodes"]
    drafts = []
    for learner in listed:
        portfolio = (await own_runner.run(ROLE, "employer_portfolio", {"learnerId": learner["id"]})).data["learner"]
        drafts += [each["id"] for each in portfolio["reviews"]["nodes"] if each["status"] == "DRAFT"]
    payload = await run(own_runner, backend, "answer_review", id=drafts[0], input={"concerns": "None."})
    assert "None." in [each["concerns"] for each in payload["review"]["answers"]]
    review = (await task(own_runner, "SIGN_REVIEW"))["subject"]["id"]
    document = (await own_runner.run(ROLE, "review_to_read", {"reviewId": review})).data["review"]["document"]
    variables = {"id": review, "documentSha256": document["sha256"], "password": PASSWORD}
    payload = await run(own_runner, backend, "sign_review", **variables)
    assert [each["role"] for each in payload["review"]["slots"] if each["signedAt"]].count(ROLE) == 1


async def test_several_documents_are_signed(own_runner: OperationRunner, backend: str):
    listed = (await own_runner.run(ROLE, "documents_to_sign", {})).data["viewer"]["signatureRequests"]["nodes"]
    documents = []
    for request in [each for each in listed if each["awaitingViewer"]][:2]:
        opened = (await own_runner.run(ROLE, "document_to_sign", {"id": request["id"]})).data["signatureRequest"]
        documents.append({"id": request["id"], "documentSha256": opened["document"]["sha256"]})
    payload = await run(own_runner, backend, "sign_documents", documents=documents, password=PASSWORD)
    assert [each["id"] for each in payload["signatureRequests"]] == [each["id"] for each in documents]
    assert not any(each["awaitingViewer"] for each in payload["signatureRequests"])


async def test_evidence_is_improved_and_signed_and_a_unit_is_signed(own_runner: OperationRunner, backend: str):
    listed = (await own_runner.run(ROLE, "employer_learners", {})).data["learners"]["nodes"]
    aim = next(aim for learner in listed for aim in learner["aims"] if aim["status"] == "IN_TRAINING")
    submission = {
        "aimId": aim["id"], "fileId": await upload(own_runner, b"Gears.\n"), "title": "Gears",
        "description": "Set up gears", "declareOwnWork": False, "password": PASSWORD,
    }  # fmt: skip
    submitted, _, _ = await run_mutation(own_runner, ROLE, "submit_evidence", {"input": submission})
    evidence = submitted["evidence"]["id"]
    async with own_runner.running.signed_in("assessor") as assessor:
        text = 'mutation($id: ID!) { evidenceReturn(id: $id, pointsForImprovement: "Say when.") { errors { code } } }'
        assert (await assessor.data(text, id=evidence))["evidenceReturn"]["errors"] == []
    assert (await task(own_runner, "RESUBMIT_EVIDENCE"))["subject"] == {"__typename": "Evidence", "id": evidence}
    again = {"fileId": await upload(own_runner, b"Gears, in May.\n"), "comment": "Said when."}
    payload = await run(own_runner, backend, "resubmit_evidence", id=evidence, input=again)
    assert payload["evidence"]["status"] == "RESUBMITTED"
    payload = await run(own_runner, backend, "sign_evidence", id=evidence, password=PASSWORD)
    assert ROLE in [each["role"] for each in payload["evidence"]["signatures"]]
    async with own_runner.running.signed_in("employer.manager") as manager:
        learners = (await manager.data(UNITS))["learners"]["nodes"]
    units = [unit for learner in learners for each in learner["aims"] for unit in each["units"]]
    unsigned = [unit for unit in units if unit["viewerActions"][0]["allowed"] and not given(unit)]
    payload = await run(own_runner, backend, "sign_unit", id=unsigned[0]["id"], password=PASSWORD)
    assert given(payload["unit"]) == [ROLE]


async def test_a_browser_is_notified_of_the_chosen_kinds(own_runner: OperationRunner, backend: str):
    browser = Browser("https://fcm.googleapis.com/fcm/send/none")
    payload = await run(own_runner, backend, "push_subscription_add", input=browser.input)
    assert payload["viewer"]["pushSubscriptions"] == [{"endpoint": browser.endpoint, "ofThisSession": True}]
    payload = await run(own_runner, backend, "notification_settings_update", pushFor=["SIGN_UNIT"])
    assert payload["viewer"]["notificationSettings"]["pushFor"] == ["SIGN_UNIT"]
    payload = await run(own_runner, backend, "push_subscription_remove", endpoint=browser.endpoint)
    assert payload["viewer"]["pushSubscriptions"] == []


def given(unit: dict[str, Any]) -> list[str]:
    """Returns the employer's valid signatures of a unit."""
    valid = [each for each in unit["signatures"] if each["signedAt"] and not each.get("withdrawnAt")]
    return [each["role"] for each in valid if each["role"] == ROLE]
