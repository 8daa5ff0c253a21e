"""Mutations through the schema: each payload has the new progress and signatures."""

from typing import Any

import pytest

from db.models.unit_signature import UnitSignature
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

AIM = "query($id: ID!) { aim(id: $id) { resourceCount resources { title } files { title } } }"


@pytest.fixture
def scenario(empty_portfolio: EmptyPortfolio) -> EmptyPortfolio:
    return empty_portfolio


def state(unit: dict[str, Any]) -> tuple[bool, bool]:
    return unit["criteriaComplete"], unit["signedOff"]


async def test_evidence_from_upload_to_a_signed_unit(scenario: EmptyPortfolio) -> None:
    words = {
        "aimId": scenario.aim,
        "title": "Brakes",
        "description": "Bled",
        "declareOwnWork": True,
        "password": PASSWORD,
    }
    evidence = await scenario.client("learner").mutate(
        "evidenceSubmit", input={**words, "fileId": await scenario.upload("learner")}
    )
    assert (evidence["status"], evidence["mappings"]) == ("SUBMITTED", [])
    assert evidence["aim"]["progress"]["criteriaMapped"] == 0
    assert [(one["role"], one["signedBy"]["name"]) for one in evidence["signatures"]] == [("LEARNER", "Learner")]
    id, (first, second, _third) = evidence["id"], scenario.criteria

    def judged(*met: tuple[str, bool]) -> dict[str, Any]:
        mappings = [{"criterionId": criterion, "signOff": met} for criterion, met in met]
        return {"mappings": mappings, "assessmentMethods": ["PRODUCT", "PRODUCT"], "feedback": "Good"}

    evidence = await scenario.client("assessor").mutate(
        "evidenceAssess", id=id, input=judged((first, True), (second, False))
    )
    assert (evidence["status"], evidence["assessmentMethods"]) == ("ASSESSED", ["PRODUCT"])
    progress = evidence["aim"]["progress"]
    assert [progress[name] for name in ("criteriaMapped", "criteriaSignedOff", "mappedPercent")] == [2, 1, 66.7]
    assert evidence["learner"]["progress"]["criteriaSignedOff"] == 1
    assert [one["criterion"]["status"] for one in evidence["mappings"]] == ["SIGNED_OFF", "IN_PROGRESS"]
    assert evidence["aim"]["trafficLight"] == "AHEAD"

    evidence = await scenario.client("assessor").mutate("evidenceReturn", id=id, pointsForImprovement="Say why")
    assert (evidence["status"], evidence["pointsForImprovement"]) == ("RETURNED", "Say why")
    again = {"fileId": await scenario.upload("learner"), "comment": "With reasons"}
    evidence = await scenario.client("learner").mutate("evidenceResubmit", id=id, input=again)
    assert (evidence["status"], evidence["file"]["id"]) == ("RESUBMITTED", again["fileId"])
    assert [(one["number"], one["comment"]) for one in evidence["versions"]] == [(1, None), (2, "With reasons")]
    # The signature belongs to the previous version.
    assert evidence["signatures"] == []
    evidence = await scenario.client("assessor").mutate("evidenceSign", id=id, password=PASSWORD)
    assert [one["role"] for one in evidence["signatures"]] == ["ASSESSOR"]

    evidence = await scenario.client("assessor").mutate(
        "evidenceAssess", id=id, input=judged((first, True), (second, True))
    )
    assert [state(one["criterion"]["unit"]) for one in evidence["mappings"]] == [(True, False)] * 2
    for _ in range(2):
        unit = await scenario.client("assessor").mutate(
            "unitSign", idempotency_key="once", id=scenario.units[0], password=PASSWORD
        )
        assert (unit["id"], *state(unit)) == (scenario.units[0], True, True)
        (signature,) = await scenario.rows(UnitSignature)
        assert signature.statement == unit["confirmationStatement"]
        assert [one["signedBy"]["name"] for one in unit["signatures"] if one["required"]] == ["Assessor"]
    other = await scenario.client("manager").mutate(
        "evidenceSubmit", input={**words, "fileId": await scenario.upload("manager")}
    )
    evidence = await scenario.client("assessor").mutate("evidenceAssess", id=other["id"], input=judged((first, False)))
    assert state(evidence["mappings"][0]["criterion"]["unit"]) == (True, False)
    payload = await scenario.client("assessor").payload("unitSign", id=scenario.units[1], password=PASSWORD)
    assert payload["unit"] is None
    assert [(one["code"], one["field"]) for one in payload["errors"]] == [("INVALID", ["id"])]
    assert "One criterion of this unit is not signed off yet (2.1)" in payload["errors"][0]["message"]


async def test_errors_name_their_fields(scenario: EmptyPortfolio) -> None:
    input = {
        "aimId": scenario.aim, "fileId": "x", "title": "", "description": "", "declareOwnWork": False,
        "password": PASSWORD,
    }  # fmt: skip
    payload = await scenario.client("learner").payload("evidenceSubmit", input=input)
    assert payload["evidence"] is None
    assert [(one["code"], one["field"]) for one in payload["errors"]] == [
        ("NOT_FOUND", ["input", "fileId"]),
        ("REQUIRED", ["input", "title"]),
        ("REQUIRED", ["input", "description"]),
        ("REQUIRED", ["input", "declareOwnWork"]),
    ]


async def test_a_file_upload(scenario: EmptyPortfolio) -> None:
    asked = {"name": "review.pdf", "contentType": "application/pdf", "size": 12}
    upload = await scenario.client("learner").mutate("fileUploadCreate", idempotency_key="one", input=asked)
    assert upload["url"].startswith("http://waymark.test/uploads/")
    assert upload["headers"] == [{"name": "Content-Type", "value": "application/pdf"}]
    assert await scenario.client("learner").mutate("fileUploadCreate", idempotency_key="one", input=asked) == upload
    assert await scenario.client("learner").mutate("fileUploadCreate", idempotency_key="two", input=asked) != upload


async def test_a_signed_document_leaves_the_list(scenario: EmptyPortfolio) -> None:
    asked = {"learnerId": scenario.ada, "title": "Review", "roles": ["LEARNER", "ASSESSOR"]}
    request = await scenario.client("assessor").mutate(
        "signatureRequestCreate", input={**asked, "fileId": await scenario.upload("assessor")}
    )
    id, digest = request["id"], request["document"]["sha256"]
    assert (request["status"], request["awaitingViewer"]) == ("PENDING", True)
    assert request["learner"]["awaitingSignatureCount"] == 1
    request = await scenario.client("learner").mutate(
        "signatureRequestSign", id=id, documentSha256=digest, password=PASSWORD
    )
    assert (request["status"], request["awaitingViewer"]) == ("PENDING", False)
    assert request["learner"]["awaitingSignatureCount"] == 0
    request = await scenario.client("assessor").mutate(
        "signatureRequestSign", id=id, documentSha256=digest, password=PASSWORD
    )
    assert request["status"] == "COMPLETE"
    assert {slot["signedBy"]["name"]: slot["documentSha256"] for slot in request["slots"]} == {
        "Learner": digest, "Assessor": digest
    }  # fmt: skip
    payload = await scenario.client("assessor").payload("signatureRequestCancel", id=id)
    assert [one["code"] for one in payload["errors"]] == ["CONFLICT"]
    request = await scenario.client("basic").mutate(
        "signatureRequestCreate", input={**asked, "fileId": await scenario.upload("basic")}
    )
    request = await scenario.client("assessor").mutate("signatureRequestCancel", id=request["id"])
    assert (request["status"], request["learner"]["awaitingSignatureCount"]) == ("CANCELLED", 0)


async def test_messages_resources_and_cv(scenario: EmptyPortfolio) -> None:
    material = {"aimId": scenario.aim, "title": "Workbook"}
    resource = await scenario.client("assessor").mutate(
        "resourceAdd", input={**material, "fileId": await scenario.upload("assessor")}
    )
    course = {**material, "title": "Plan", "fileId": await scenario.upload("assessor"), "bucket": "FILES_FROM_COURSE"}
    await scenario.client("assessor").mutate("resourceAdd", input=course)
    aim = (await scenario.client("learner").data(AIM, id=scenario.aim))["aim"]
    assert aim == {"resourceCount": 1, "resources": [{"title": "Workbook"}], "files": [{"title": "Plan"}]}
    removed = await scenario.client("assessor").mutate("resourceRemove", id=resource["id"])
    assert removed["removedId"] == resource["id"]
    assert (await scenario.client("learner").data(AIM, id=scenario.aim))["aim"]["resourceCount"] == 0
    await scenario.client("learner").mutate(
        "messageSend", input={"aimId": scenario.aim, "subject": "Hello", "body": "There"}
    )
    assert [mail.kind for mail in await scenario.mails()] == ["message"]
    learner = await scenario.client("learner").mutate("cvSectionSave", name="SKILLS", text="Wheels")
    assert {"name": "SKILLS", "text": "Wheels"} in learner["cv"]["sections"]
    file_id = await scenario.upload("learner")
    learner = await scenario.client("learner").mutate("cvDocumentAdd", kind="COMPANY_PROFILE", fileId=file_id)
    assert [(one["kind"], one["file"]["id"]) for one in learner["cv"]["documents"]] == [("COMPANY_PROFILE", file_id)]


async def test_payloads_give_back_what_else_changed(scenario: EmptyPortfolio) -> None:
    """The counts of the screens beside the record: on the icon of the inbox, and on the card of the aim."""
    assessor, learner = scenario.client("assessor"), scenario.client("learner")
    selected = "resource { id } aim { id resourceCount }"
    add = f"mutation ($input: ResourceAddInput!) {{ resourceAdd(input: $input) {{ {selected} }} }}"
    given = {"aimId": scenario.aim, "title": "Workbook", "fileId": await scenario.upload("assessor")}
    added = (await assessor.data(add, input=given))["resourceAdd"]
    assert added["aim"] == {"id": scenario.aim, "resourceCount": 1}
    remove = "mutation ($id: ID!) { resourceRemove(id: $id) { aim { resourceCount } errors { code } } }"
    removed = (await assessor.data(remove, id=added["resource"]["id"]))["resourceRemove"]
    assert removed == {"aim": {"resourceCount": 0}, "errors": []}
    again = (await assessor.data(remove, id=added["resource"]["id"]))["resourceRemove"]
    assert again == {"aim": None, "errors": [{"code": "NOT_FOUND"}]}
    words = {"title": "Truing", "description": "I trued a wheel", "declareOwnWork": True, "password": PASSWORD}
    evidence = await learner.mutate(
        "evidenceSubmit", input={**words, "aimId": scenario.aim, "fileId": await scenario.upload("learner")}
    )
    back = "mutation ($id: ID!, $why: String!) { evidenceReturn(id: $id, pointsForImprovement: $why) { %s } }"
    returned = await assessor.data(back % "viewer { kpis { awaitingAssessmentCount } }", id=evidence["id"], why="More")
    assert returned["evidenceReturn"]["viewer"] == {"kpis": {"awaitingAssessmentCount": 0}}
