"""An aim moves to another version by a map; its start date is corrected; its outcome is recorded."""

import json
from typing import Any

from db.models.aim import Aim
from db.models.qualification import Qualification
from db.models.unit_signature import UnitSignature
from domain import clock
from domain import global_id as ids
from resolvers.aim.version import VERSION_CHANGED
from services.audit.signature_check import signature_problems
from services.importer.parser import parse_json
from services.importer.store import store_qualification
from tests.resolvers.evidence.test_submission import submitted
from tests.support.factories import DAY
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

AIM = """
query($id: ID!) { aim(id: $id) {
  qualification { id version } earlierVersions { qualification { id version } changedBy { name } }
  progress { criteriaTotal criteriaMapped criteriaSignedOff }
  units(chosenOnly: false) {
    id number chosen signedOff signatures { role signedAt }
    criteria { code status evidenceCount signedOffBy { name } }
  }
  learner { evidence { nodes { id mappings { signedOff criterion { id code status unit { number chosen title } } } } } }
} }
"""


def version(number: str, units: dict[str, list[str]], optional: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "title": "Cycle mechanic", "reference": "ST0001", "version": number, "kind": "standard", **more,
        "units": [
            {
                "number": unit, "title": f"Unit {unit}", "mandatory": unit not in optional,
                "criteria": [{"code": code, "description": f"{unit} {code} of {number}"} for code in codes],
            }
            for unit, codes in units.items()
        ],
    }  # fmt: skip


OLD = version("1.2", {"1": ["1.1", "1.2"], "2": ["1.1"], "3": ["1.1"]}, optional=("3",))
NEW = version("1.3", {"1": ["1.1", "1.2", "1.3"], "3": ["2.1"], "4": ["1.1"]}, optional=("3", "4"))


async def stored(scenario: EmptyPortfolio, document: dict[str, Any]) -> str:
    async with scenario.database.writing() as session:
        draft = parse_json(json.dumps(document).encode())
        found = await store_qualification(session, scenario.user("basic").provider_id, draft)
    return ids.encode("Qualification", found.qualification_id)


async def added(scenario: EmptyPortfolio, qualification: str) -> str:
    client = scenario.client("assessor")
    aim = await client.mutate(
        "aimAdd", input={
            "learnerId": scenario.ada, "qualificationId": qualification,
            "assessorId": ids.encode("User", scenario.user("assessor").id), "startDate": "2026-01-05",
            "plannedEndDate": "2027-12-31",
        },
    )  # fmt: skip
    await client.mutate("aimUpdate", id=aim["id"], input={"status": "IN_TRAINING"})
    return aim["id"]


async def read(scenario: EmptyPortfolio, id: str) -> dict[str, Any]:
    return (await scenario.client("assessor").data(AIM, id=id))["aim"]


def step(source: str, target: str) -> dict[str, str]:
    """A step from "unit code" to "unit code"."""
    (unit, code), (to_unit, to_code) = source.split(), target.split()
    return {"fromUnitNumber": unit, "fromCode": code, "toUnitNumber": to_unit, "toCode": to_code}


async def worked_on(scenario: EmptyPortfolio, aim: str) -> list[str]:
    """Two pieces of evidence: one signs off unit 1, the other is mapped to all that follows. Returns their ids."""
    client = scenario.client("assessor")
    units = {unit["number"]: unit["id"] for unit in (await read(scenario, aim))["units"]}
    await client.mutate("aimUnitsChoose", id=aim, unitIds=[units["3"]])
    query = "query($id: ID!) { aim(id: $id) { units { number criteria { id code } } } }"
    found = (await client.data(query, id=aim))["aim"]["units"]
    by_code = {f"{unit['number']} {each['code']}": each["id"] for unit in found for each in unit["criteria"]}
    evidence = []
    for judged in ({"1 1.1": True, "1 1.2": True}, {"1 1.2": False, "2 1.1": True, "3 1.1": False}):
        id = await submitted(scenario, aim_id=aim)
        mappings = [{"criterionId": by_code[code], "signOff": met} for code, met in judged.items()]
        await client.mutate("evidenceAssess", id=id, input={"mappings": mappings, "assessmentMethods": ["PRODUCT"]})
        evidence.append(id)
    await client.mutate("unitSign", id=units["1"], password=PASSWORD)
    return evidence


async def test_what_was_reached_is_carried_by_the_map(scenario: EmptyPortfolio) -> None:
    old, new = await stored(scenario, OLD), await stored(scenario, NEW)
    aim = await added(scenario, old)
    evidence = await worked_on(scenario, aim)
    # Both criteria of unit 1 become one; one of them has two successors; the optional unit keeps its number.
    steps = [step("1 1.1", "1 1.2"), step("1 1.2", "1 1.2"), step("1 1.1", "1 1.3"), step("3 1.1", "3 2.1")]
    client = scenario.client("assessor")
    await client.mutate("aimVersionChange", id=aim, input={"qualificationId": new, "criterionMap": steps})
    found = await read(scenario, aim)
    assert found["qualification"] == {"id": new, "version": "1.3"}
    assert found["earlierVersions"] == [
        {"qualification": {"id": old, "version": "1.2"}, "changedBy": {"name": "Assessor"}}
    ]
    states = {
        f"{unit['number']} {each['code']}": (each["status"], each["evidenceCount"])
        for unit in found["units"] for each in unit["criteria"]
    }  # fmt: skip
    assert states == {
        "1 1.1": ("NOT_STARTED", 0), "1 1.2": ("SIGNED_OFF", 2), "1 1.3": ("SIGNED_OFF", 1),
        "3 2.1": ("IN_PROGRESS", 1), "4 1.1": ("NOT_STARTED", 0),
    }  # fmt: skip
    assert [unit["chosen"] for unit in found["units"]] == [True, True, False]
    # The unit that does not count is not in the total: three criteria of unit 1, one of unit 3.
    assert found["progress"] == {"criteriaTotal": 4, "criteriaMapped": 3, "criteriaSignedOff": 2}
    # What has no successor stays readable, and counts nowhere.
    mappings = {each["id"]: each["mappings"] for each in found["learner"]["evidence"]["nodes"]}
    left = [each["criterion"] for each in mappings[evidence[1]] if each["criterion"]["unit"]["title"] == "Unit 2"]
    assert [(each["code"], each["status"], each["unit"]["chosen"]) for each in left] == [("1.1", "SIGNED_OFF", False)]
    node = "query($id: ID!) { node(id: $id) { ... on Criterion { description unit { number } } } }"
    read_again = await client.data(node, id=left[0]["id"])
    assert read_again["node"] == {"description": "2 1.1 of 1.2", "unit": {"number": "2"}}
    # A signature confirms the old words, so it is withdrawn.
    [signature] = await scenario.rows(UnitSignature)
    assert signature.withdrawn_reason == VERSION_CHANGED
    await scenario.check_progress()
    async with scenario.database.writing() as session:
        assert [problem async for problem in signature_problems(session)] == []


async def test_moving_back_finds_what_was_left(scenario: EmptyPortfolio) -> None:
    old, new = await stored(scenario, OLD), await stored(scenario, NEW)
    aim = await added(scenario, old)
    await worked_on(scenario, aim)
    before = (await read(scenario, aim))["progress"]
    client = scenario.client("basic")
    there = [step("1 1.1", "1 1.1"), step("1 1.2", "1 1.2")]
    await client.mutate("aimVersionChange", id=aim, input={"qualificationId": new, "criterionMap": there})
    await client.mutate("aimVersionChange", id=aim, input={"qualificationId": old, "criterionMap": there})
    assert (await read(scenario, aim))["progress"] == before
    await scenario.check_progress()


async def test_what_cannot_be_changed(scenario: EmptyPortfolio) -> None:
    old, new = await stored(scenario, OLD), await stored(scenario, NEW)
    aim = await added(scenario, old)
    other = ids.encode("Qualification", (await scenario.rows(Qualification))[0].id)
    client = scenario.client("assessor")
    wrong = [step("1 9.9", "1 1.1"), step("1 1.1", "9 1.1"), step("1 1.2", "1 1.2"), step("1 1.2", "1 1.2")]
    for asked, errors in (
        ({"qualificationId": new, "criterionMap": wrong}, {
            "input.criterionMap.0.fromCode": "INVALID", "input.criterionMap.1.toCode": "INVALID",
            "input.criterionMap.3": "INVALID",
        }),
        ({"qualificationId": old, "criterionMap": []}, {"input.qualificationId": "INVALID"}),
        ({"qualificationId": other, "criterionMap": []}, {"input.qualificationId": "INVALID"}),
        ({"qualificationId": "Qualification_999999", "criterionMap": []}, {"input.qualificationId": "NOT_FOUND"}),
    ):  # fmt: skip
        assert await client.user_errors("aimVersionChange", id=aim, input=asked) == errors
    await client.mutate("aimUpdate", id=aim, input={"status": "COMPLETED"})
    asked = {"qualificationId": new, "criterionMap": []}
    assert await client.user_errors("aimVersionChange", id=aim, input=asked) == {"id": "CONFLICT"}


async def test_a_wrong_start_date_is_corrected_with_a_reason(scenario: EmptyPortfolio) -> None:
    client, today = scenario.client("assessor"), clock.today()
    right = (today - 49 * DAY).isoformat()
    assert await client.user_errors("aimUpdate", id=scenario.aim, input={"startDate": right}) == {
        "input.reason": "REQUIRED"
    }
    for wrong, code in (("1999-12-31", "INVALID"), ((today + 200 * DAY).isoformat(), "INVALID")):
        errors = await client.user_errors("aimUpdate", id=scenario.aim, input={"startDate": wrong, "reason": "Typed"})
        assert code in errors.values()
    changed = await client.mutate("aimUpdate", id=scenario.aim, input={"startDate": right, "reason": "Typed wrong"})
    # 50 days of 150.
    assert (changed["startDate"], changed["progress"]["durationPercent"]) == (right, 33.3)
    assert changed["startDateReason"] == "Typed wrong" and changed["originalStartDate"] == right
    earlier = (today - 400 * DAY).isoformat()
    changed = await client.mutate("aimUpdate", id=scenario.aim, input={"originalStartDate": earlier})
    assert (changed["startDate"], changed["originalStartDate"]) == (right, earlier)
    later = (today - 10 * DAY).isoformat()
    errors = await client.user_errors("aimUpdate", id=scenario.aim, input={"originalStartDate": later})
    assert errors == {"input.originalStartDate": "INVALID"}
    started = {"aimIds": [scenario.aim], "startDate": (today - 20 * DAY).isoformat(), "reason": "OTHER"}
    await client.mutate("breakBegin", input=started)
    errors = await client.user_errors("aimUpdate", id=scenario.aim, input={"startDate": later, "reason": "Again"})
    assert errors == {"input.startDate": "CONFLICT"}


async def test_only_an_aim_that_has_ended_has_an_outcome(scenario: EmptyPortfolio) -> None:
    client = scenario.client("assessor")
    errors = await client.user_errors("aimUpdate", id=scenario.aim, input={"outcome": "ACHIEVED"})
    assert errors == {"input.outcome": "INVALID"}
    ended = await client.mutate("aimUpdate", id=scenario.aim, input={"status": "COMPLETED", "outcome": "ACHIEVED"})
    assert ended["outcome"] == "ACHIEVED"
    changed = await client.mutate("aimUpdate", id=scenario.aim, input={"outcome": "PARTLY_ACHIEVED"})
    assert changed["outcome"] == "PARTLY_ACHIEVED"
    await client.mutate("aimUpdate", id=scenario.aim, input={"status": "IN_TRAINING"})
    assert (await scenario.one(Aim, ids.decode("Aim", scenario.aim))).outcome is None
