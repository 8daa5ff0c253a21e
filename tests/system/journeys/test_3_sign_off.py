"""Journey 3: a complete unit is signed, and new evidence withdraws the signatures."""

from sqlalchemy import select

from db.models.unit_signature import UnitSignature
from domain import global_id as ids
from services.demo import sample_files as files
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import MATHEMATICS, aim_of, learner_id


async def submitted(learner: HttpClient, aim: str) -> str:
    """Submits new evidence for an aim."""
    sample = files.pdf("Wheel build record")
    file_id = await learner.upload(sample.name, sample.content_type, sample.content)
    words = {"title": "Wheel", "description": "Built.", "declareOwnWork": True, "password": PASSWORD}
    return (await learner.mutate("evidenceSubmit", input={**words, "aimId": aim, "fileId": file_id}))["id"]


def judged(criteria: list[str], met: bool) -> dict:
    return {"mappings": [{"criterionId": one, "signOff": met} for one in criteria], "assessmentMethods": ["PRODUCT"]}


async def test_a_unit_is_completed_signed_and_its_signatures_withdrawn(clients: Clients):
    learner, assessor, iqa = await clients("learner"), await clients("assessor"), await clients("iqa")
    manager, admin = await clients("employer.manager"), await clients("master.admin")
    aim = await aim_of(assessor, await learner_id(assessor, "Maya Thornton"), MATHEMATICS)
    unit = next(one for one in aim["units"] if not one["criteriaComplete"])

    # The unit cannot be signed until every criterion is signed off.
    assert await assessor.user_errors("unitSign", id=unit["id"], password=PASSWORD) == {"id": "INVALID"}
    evidence = await submitted(learner, aim["id"])
    left = [one["id"] for one in unit["criteria"] if one["status"] != "SIGNED_OFF"]
    assessed = await assessor.mutate("evidenceAssess", id=evidence, input=judged(left, True))
    of_unit = assessed["mappings"][0]["criterion"]["unit"]
    assert (of_unit["criteriaComplete"], of_unit["signedOff"]) == (True, False)
    assert assessed["aim"]["progress"]["criteriaSignedOff"] == aim["progress"]["criteriaSignedOff"] + len(left)

    # Each user signs in their own role; only the assessor's signature is required.
    assert await assessor.user_errors("unitSign", id=unit["id"], password="guess") == {"password": "WRONG_PASSWORD"}
    assert await admin.user_errors("unitSign", id=unit["id"], password=PASSWORD) == {None: "NOT_ALLOWED"}
    for who in (learner, manager, iqa):
        assert (await who.mutate("unitSign", id=unit["id"], password=PASSWORD))["signedOff"] is False
    signed = await assessor.mutate("unitSign", id=unit["id"], password=PASSWORD)
    assert signed["signedOff"] is True
    by_role = {one["role"]: one["signedBy"]["name"] for one in signed["signatures"] if one["signedBy"]}
    assert by_role == {
        "LEARNER": "Maya Thornton", "EMPLOYER_MANAGER": "Helen Ashworth", "IQA": "Gareth Pugh",
        "ASSESSOR": "Priya Raman",
    }  # fmt: skip
    # Signing again changes nothing and keeps the time of the first signature.
    assert await assessor.mutate("unitSign", id=unit["id"], password=PASSWORD) == signed

    # Each signature keeps the statement that was signed.
    aim_key, unit_key = ids.decode_pair("Unit", unit["id"])
    statement = select(UnitSignature).where(UnitSignature.aim_id == aim_key, UnitSignature.unit_id == unit_key)

    async def kept() -> list[UnitSignature]:
        async with clients.running.server.services.database.writing() as session:
            return list(await session.scalars(statement))

    assert [one.statement for one in await kept()] == [signed["confirmationStatement"]] * 4
    assert "Maya Thornton" in signed["confirmationStatement"]

    # New evidence for a criterion of the unit withdraws its signatures.
    more = await submitted(learner, aim["id"])
    assessed = await assessor.mutate("evidenceAssess", id=more, input=judged(left[:1], False))
    of_unit = assessed["mappings"][0]["criterion"]["unit"]
    assert (of_unit["criteriaComplete"], of_unit["signedOff"]) == (True, False)
    # What was withdrawn stays in the list, after the places that are empty again.
    assert [bool(one["signedBy"]) for one in of_unit["signatures"]] == [False] + [True] * 4
    assert {one["withdrawnReason"] for one in of_unit["signatures"][1:]} == {"New evidence was mapped to the unit."}
    history = await kept()
    assert len(history) == 4 and all(one.withdrawn_at and one.withdrawn_reason for one in history)
    assert (await assessor.mutate("unitSign", id=unit["id"], password=PASSWORD))["signedOff"] is True
    assert len(await kept()) == 5

    actions = [action for action, _ in await admin.audit_trail(unit["id"])]
    assert actions == ["unitSign"] * 5
    record = await learner.data("query($id: ID!) { aim(id: $id) { recordOfAchievementExport { url } } }", id=aim["id"])
    answer = await learner.fetch(record["aim"]["recordOfAchievementExport"]["url"])
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
