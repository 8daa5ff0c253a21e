"""Evidence, units, documents and papers through the schema: each answer holds the new progress and signatures."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import strawberry

from db.database import Database
from db.models.unit_signature import UnitSignature
from schema.root import make_schema
from tests.support.scenarios import PASSWORD, Stage, set_stage

DOCUMENT = """
fragment faults on UserError { code field message }
fragment evidence on EvidencePayload {
  errors { ...faults }
  evidence {
    id title status declaredOwnWork feedback pointsForImprovement assessmentMethods
    file { id sha256 } versions { number comment file { id } } signatures { role signedBy { name } signedAt }
    mappings { signedOff criterion { id status evidenceCount unit { criteriaComplete signedOff } } }
    aim { id progress { criteriaMapped criteriaSignedOff mappedPercent } trafficLight }
    learner { id progress { criteriaSignedOff } }
  }
}
mutation submit($input: EvidenceSubmitInput!) { payload: evidenceSubmit(input: $input) { ...evidence } }
mutation assess($id: ID!, $input: EvidenceAssessInput!) {
  payload: evidenceAssess(id: $id, input: $input) { ...evidence }
}
mutation giveBack($id: ID!, $points: String!) {
  payload: evidenceReturn(id: $id, pointsForImprovement: $points) { ...evidence }
}
mutation resubmit($id: ID!, $input: EvidenceResubmitInput!) {
  payload: evidenceResubmit(id: $id, input: $input) { ...evidence }
}
mutation sign($id: ID!, $password: String!) { payload: evidenceSign(id: $id, password: $password) { ...evidence } }
mutation signUnit($id: ID!, $password: String!) { payload: unitSign(id: $id, password: $password) {
  unit { id confirmationStatement criteriaComplete signedOff signatures { role required signedBy { name } } }
  errors { ...faults }
} }
mutation upload($input: FileUploadInput!) { payload: fileUploadCreate(input: $input) {
  upload { fileId url headers { name value } expiresAt } errors { ...faults }
} }
mutation ask($input: SignatureRequestCreateInput!) { payload: signatureRequestCreate(input: $input) { ...request } }
mutation signDocument($id: ID!, $digest: String!, $password: String!) {
  payload: signatureRequestSign(id: $id, documentSha256: $digest, password: $password) { ...request }
}
mutation cancel($id: ID!) { payload: signatureRequestCancel(id: $id) { ...request } }
fragment request on SignatureRequestPayload {
  errors { ...faults }
  signatureRequest {
    id title status awaitingViewer document { sha256 } slots { role documentSha256 signedBy { name } }
    learner { awaitingSignatureCount }
  }
}
mutation add($input: ResourceAddInput!) {
  payload: resourceAdd(input: $input) { resource { id title file { id } } errors { ...faults } }
}
mutation remove($id: ID!) { payload: resourceRemove(id: $id) { removedId errors { ...faults } } }
mutation write($input: MessageSendInput!) { payload: messageSend(input: $input) { errors { ...faults } } }
mutation save($text: String!) { payload: cvSectionSave(name: SKILLS, text: $text) {
  learner { cv { sections { name text } } } errors { ...faults }
} }
mutation attach($file: ID!) { payload: cvDocumentAdd(kind: COMPANY_PROFILE, fileId: $file) {
  learner { cv { documents { kind file { id } } } } errors { ...faults }
} }
query aim($id: ID!) { payload: aim(id: $id) { resourceCount resources { title } files { title } } }
"""


@cache
def _schema() -> strawberry.Schema:
    return make_schema()


@pytest.fixture
async def stage(database: Database, tmp_path: Path) -> Stage:
    """A world of its own for one test."""
    return await set_stage(database, tmp_path)


async def run(stage: Stage, who: str, operation: str, key: str | None = None, **variables: Any) -> dict[str, Any]:
    """The payload; top-level errors fail the test."""
    result = await _schema().execute(DOCUMENT, variables, stage.at(who, key), operation_name=operation)
    assert result.errors is None, result.errors
    return result.data["payload"]


async def done(stage: Stage, who: str, operation: str, key: str | None = None, **variables: Any) -> Any:
    payload = await run(stage, who, operation, key, **variables)
    assert payload.pop("errors") == []
    return next(iter(payload.values()), None)


async def test_evidence_from_upload_to_a_signed_unit(stage: Stage) -> None:
    words = {"aimId": stage.aim, "title": "Brakes", "description": "Bled", "declareOwnWork": True, "password": PASSWORD}
    evidence = await done(stage, "learner", "submit", input={**words, "fileId": await stage.upload("learner")})
    assert (evidence["status"], evidence["mappings"]) == ("SUBMITTED", [])
    assert evidence["aim"]["progress"]["criteriaMapped"] == 0
    assert [(one["role"], one["signedBy"]["name"]) for one in evidence["signatures"]] == [("LEARNER", "Learner")]
    id, (first, second, third) = evidence["id"], stage.criteria

    def judged(*met: tuple[str, bool]) -> dict[str, Any]:
        mappings = [{"criterionId": criterion, "signOff": met} for criterion, met in met]
        return {"mappings": mappings, "assessmentMethods": ["PRODUCT", "PRODUCT"], "feedback": "Good"}

    evidence = await done(stage, "assessor", "assess", id=id, input=judged((first, True), (second, False)))
    assert (evidence["status"], evidence["assessmentMethods"]) == ("ASSESSED", ["PRODUCT"])
    assert evidence["aim"]["progress"] == {"criteriaMapped": 2, "criteriaSignedOff": 1, "mappedPercent": 66.7}
    assert evidence["learner"]["progress"] == {"criteriaSignedOff": 1}
    assert [one["criterion"]["status"] for one in evidence["mappings"]] == ["SIGNED_OFF", "IN_PROGRESS"]
    assert evidence["aim"]["trafficLight"] == "AHEAD"

    evidence = await done(stage, "assessor", "giveBack", id=id, points="Say why")
    assert (evidence["status"], evidence["pointsForImprovement"]) == ("RETURNED", "Say why")
    again = {"fileId": await stage.upload("learner"), "comment": "With reasons"}
    evidence = await done(stage, "learner", "resubmit", id=id, input=again)
    assert (evidence["status"], evidence["file"]["id"]) == ("RESUBMITTED", again["fileId"])
    assert [(one["number"], one["comment"]) for one in evidence["versions"]] == [(1, None), (2, "With reasons")]
    # The signature was on the version before.
    assert evidence["signatures"] == []
    evidence = await done(stage, "assessor", "sign", id=id, password=PASSWORD)
    assert [one["role"] for one in evidence["signatures"]] == ["ASSESSOR"]

    evidence = await done(stage, "assessor", "assess", id=id, input=judged((second, True)))
    assert [one["criterion"]["unit"] for one in evidence["mappings"]] == [
        {"criteriaComplete": True, "signedOff": False}
    ] * 2
    for _ in range(2):
        unit = await done(stage, "assessor", "signUnit", key="once", id=stage.units[0], password=PASSWORD)
        assert (unit["id"], unit["criteriaComplete"], unit["signedOff"]) == (stage.units[0], True, True)
        (signature,) = await stage.rows(UnitSignature)
        assert signature.statement == unit["confirmationStatement"]
        assert {"role": "ASSESSOR", "required": True, "signedBy": {"name": "Assessor"}} in unit["signatures"]
    other = await done(stage, "manager", "submit", input={**words, "fileId": await stage.upload("manager")})
    evidence = await done(stage, "assessor", "assess", id=other["id"], input=judged((first, False)))
    assert evidence["mappings"][0]["criterion"]["unit"] == {"criteriaComplete": True, "signedOff": False}
    payload = await run(stage, "assessor", "signUnit", id=stage.units[1], password=PASSWORD)
    assert payload["unit"] is None
    assert [(one["code"], one["field"]) for one in payload["errors"]] == [("INVALID", ["id"])]
    assert "1 of 1 criteria are not signed off (2.1)" in payload["errors"][0]["message"]


async def test_faults_name_their_fields(stage: Stage) -> None:
    input = {
        "aimId": stage.aim, "fileId": "x", "title": "", "description": "", "declareOwnWork": False, "password": PASSWORD
    }  # fmt: skip
    payload = await run(stage, "learner", "submit", input=input)
    assert payload["evidence"] is None
    assert [(one["code"], one["field"]) for one in payload["errors"]] == [
        ("NOT_FOUND", ["input", "fileId"]),
        ("REQUIRED", ["input", "title"]),
        ("REQUIRED", ["input", "description"]),
        ("REQUIRED", ["input", "declareOwnWork"]),
    ]


async def test_a_place_for_a_file(stage: Stage) -> None:
    asked = {"name": "review.pdf", "contentType": "application/pdf", "size": 12}
    upload = await done(stage, "learner", "upload", key="one", input=asked)
    assert upload["url"].startswith("http://waymark.test/uploads/")
    assert upload["headers"] == [{"name": "Content-Type", "value": "application/pdf"}]
    assert await done(stage, "learner", "upload", key="one", input=asked) == upload
    assert await done(stage, "learner", "upload", key="two", input=asked) != upload


async def test_a_document_is_asked_for_signed_and_leaves_the_list(stage: Stage) -> None:
    asked = {"learnerId": stage.ada, "title": "Review", "roles": ["LEARNER", "ASSESSOR"]}
    request = await done(stage, "assessor", "ask", input={**asked, "fileId": await stage.upload("assessor")})
    id, digest = request["id"], request["document"]["sha256"]
    assert (request["status"], request["awaitingViewer"]) == ("PENDING", True)
    assert request["learner"]["awaitingSignatureCount"] == 1
    request = await done(stage, "learner", "signDocument", id=id, digest=digest, password=PASSWORD)
    assert (request["status"], request["awaitingViewer"]) == ("PENDING", False)
    assert request["learner"]["awaitingSignatureCount"] == 0
    request = await done(stage, "assessor", "signDocument", id=id, digest=digest, password=PASSWORD)
    assert request["status"] == "COMPLETE"
    assert {slot["signedBy"]["name"]: slot["documentSha256"] for slot in request["slots"]} == {
        "Learner": digest, "Assessor": digest
    }  # fmt: skip
    payload = await run(stage, "assessor", "cancel", id=id)
    assert [one["code"] for one in payload["errors"]] == ["CONFLICT"]
    request = await done(stage, "basic", "ask", input={**asked, "fileId": await stage.upload("basic")})
    request = await done(stage, "assessor", "cancel", id=request["id"])
    assert (request["status"], request["learner"]) == ("CANCELLED", {"awaitingSignatureCount": 0})


async def test_papers(stage: Stage) -> None:
    material = {"aimId": stage.aim, "title": "Workbook"}
    resource = await done(stage, "assessor", "add", input={**material, "fileId": await stage.upload("assessor")})
    course = {**material, "title": "Plan", "fileId": await stage.upload("assessor"), "bucket": "FILES_FROM_COURSE"}
    await done(stage, "assessor", "add", input=course)
    aim = await run(stage, "learner", "aim", id=stage.aim)
    assert aim == {"resourceCount": 1, "resources": [{"title": "Workbook"}], "files": [{"title": "Plan"}]}
    assert await done(stage, "assessor", "remove", id=resource["id"]) == resource["id"]
    assert (await run(stage, "learner", "aim", id=stage.aim))["resourceCount"] == 0
    await done(stage, "learner", "write", input={"aimId": stage.aim, "subject": "Hello", "body": "There"})
    assert [mail.kind for mail in await stage.mails()] == ["message"]
    learner = await done(stage, "learner", "save", text="Wheels")
    assert {"name": "SKILLS", "text": "Wheels"} in learner["cv"]["sections"]
    file_id = await stage.upload("learner")
    learner = await done(stage, "learner", "attach", file=file_id)
    assert learner["cv"]["documents"] == [{"kind": "COMPANY_PROFILE", "file": {"id": file_id}}]
