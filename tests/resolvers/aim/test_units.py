"""Optional units are chosen for a learner; every number speaks of the units that count."""

import json
from typing import Any

from db.models.aim_unit import AimUnit
from db.models.qualification import Qualification
from domain import global_id as ids
from services.importer.parser import parse_json
from services.importer.store import Outcome, store_qualification
from tests.resolvers.evidence.test_submission import submitted
from tests.support.cases import CASES
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

CASE = CASES["optional_units"]
AIM = """
query($id: ID!, $chosenOnly: Boolean) { aim(id: $id) {
  unitsToChoose qualification { kind optionalUnitsMinimum }
  progress { criteriaTotal criteriaMapped criteriaSignedOff mappedPercent signedOffPercent }
  units(chosenOnly: $chosenOnly) { id number mandatory chosen criteria { id } }
} viewer { kpis { progress { criteriaTotal signedOffPercent mappedPercent } } } }
"""


async def an_aim(scenario: EmptyPortfolio) -> str:
    """Adds the imported qualification of the case to the learner's programme."""
    async with scenario.database.writing() as session:
        draft = parse_json(json.dumps(CASE["import"]).encode())
        stored = await store_qualification(session, scenario.user("basic").provider_id, draft)
    added = await scenario.client("assessor").mutate(
        "aimAdd", input={
            "learnerId": scenario.ada, "qualificationId": ids.encode("Qualification", stored.qualification_id),
            "assessorId": ids.encode("User", scenario.user("assessor").id), "startDate": "2026-01-01",
            "plannedEndDate": "2027-12-31",
        },
    )  # fmt: skip
    await scenario.client("assessor").mutate("aimUpdate", id=added["id"], input={"status": "IN_TRAINING"})
    return added["id"]


async def read(scenario: EmptyPortfolio, id: str, chosen_only: bool = True) -> dict[str, Any]:
    return (await scenario.client("assessor").data(AIM, id=id, chosenOnly=chosen_only))["aim"]


async def sign_off(scenario: EmptyPortfolio, aim: str, units: list[dict[str, Any]]) -> None:
    """Maps evidence to every criterion of the units, and signs all of them off."""
    evidence = await submitted(scenario, aim_id=aim)
    mappings = [{"criterionId": each["id"], "signOff": True} for unit in units for each in unit["criteria"]]
    await scenario.client("assessor").mutate(
        "evidenceAssess", id=evidence, input={"mappings": mappings, "assessmentMethods": ["PRODUCT"]}
    )


async def test_the_cases(scenario: EmptyPortfolio) -> None:
    aim = await an_aim(scenario)
    units = {unit["number"]: unit for unit in (await read(scenario, aim, False))["units"]}
    signed_off: set[str] = set()
    for case in CASE["expect"]:
        chosen = [units[number]["id"] for number in case["chosen"]]
        await scenario.client("assessor").mutate("aimUnitsChoose", id=aim, unitIds=chosen)
        if new := [units[number] for number in case["signedOff"] if number not in signed_off]:
            await sign_off(scenario, aim, new)
            signed_off |= set(case["signedOff"])
        found = await read(scenario, aim)
        shown = {**found["progress"], "unitsToChoose": found["unitsToChoose"]}
        wanted = {name: case[name] for name in ("criteriaTotal", "unitsToChoose", "signedOffPercent")}
        assert {name: shown[name] for name in wanted} == wanted
        assert [unit["number"] for unit in found["units"]] == sorted({"1", *case["chosen"]})
    assert found["qualification"] == {"kind": "DIPLOMA", "optionalUnitsMinimum": 1}
    everything = (await read(scenario, aim, False))["units"]
    assert [(unit["mandatory"], unit["chosen"]) for unit in everything] == [(True, True), (False, True), (False, False)]
    await scenario.check_progress()


async def test_what_was_reached_is_kept_without_the_choice(scenario: EmptyPortfolio) -> None:
    aim = await an_aim(scenario)
    client = scenario.client("assessor")
    one, two, three = (await read(scenario, aim, False))["units"]
    await client.mutate("aimUnitsChoose", id=aim, unitIds=[two["id"], one["id"]])
    await sign_off(scenario, aim, [one, two])
    await client.mutate("aimUnitsChoose", id=aim, unitIds=[])
    found = await read(scenario, aim)
    # All that counts is signed off, but a unit is still to choose.
    assert (found["unitsToChoose"], found["progress"]["criteriaSignedOff"], found["progress"]["criteriaTotal"]) == (
        1,
        2,
        2,
    )
    assert (found["progress"]["signedOffPercent"], found["progress"]["mappedPercent"]) == (99.9, 99.9)
    kpis = (await client.data(AIM, id=aim))["viewer"]["kpis"]["progress"]
    assert kpis["signedOffPercent"] < 100
    await client.mutate("aimUnitsChoose", id=aim, unitIds=[two["id"]])
    assert (await read(scenario, aim))["progress"]["signedOffPercent"] == 100.0
    await client.mutate("aimUnitsChoose", id=aim, unitIds=[three["id"], two["id"]])
    assert (await read(scenario, aim))["progress"]["signedOffPercent"] == 66.7
    await scenario.check_progress()
    audited = len(await scenario.audit_trail())
    await client.mutate("aimUnitsChoose", id=aim, unitIds=[two["id"], three["id"]])
    assert len(await scenario.audit_trail()) == audited


async def test_a_unit_that_does_not_count_takes_no_evidence_and_no_signature(scenario: EmptyPortfolio) -> None:
    aim = await an_aim(scenario)
    _, two, _ = (await read(scenario, aim, False))["units"]
    evidence = await submitted(scenario, aim_id=aim)
    mappings = [{"criterionId": two["criteria"][0]["id"], "signOff": True}]
    client = scenario.client("assessor")
    assert await client.user_errors(
        "evidenceAssess", id=evidence, input={"mappings": mappings, "assessmentMethods": ["PRODUCT"]}
    ) == {"input.mappings.0.criterionId": "INVALID"}
    payload = await client.payload("unitSign", id=two["id"], password=PASSWORD)
    assert payload["errors"][0]["code"] == "INVALID" and "not chosen" in payload["errors"][0]["message"]


async def test_only_units_of_the_aim_can_be_chosen(scenario: EmptyPortfolio) -> None:
    aim = await an_aim(scenario)
    client = scenario.client("assessor")
    for wrong in (f"Unit_{ids.decode('Aim', aim)}.999999", "Unit_999999.1", "nonsense"):
        assert await client.user_errors("aimUnitsChoose", id=aim, unitIds=[wrong]) == {"unitIds.0": "NOT_FOUND"}
    for who in ("learner", "iqa", "manager"):
        visible = scenario.aim
        assert await scenario.client(who).user_errors("aimUnitsChoose", id=visible, unitIds=[]) == {None: "NOT_ALLOWED"}
    assert not await scenario.rows(AimUnit)


async def test_an_import_changes_only_how_many_are_to_choose(scenario: EmptyPortfolio) -> None:
    aim = await an_aim(scenario)
    again = {**CASE["import"], "optionalUnitsMinimum": 2}
    async with scenario.database.writing() as session:
        provider = scenario.user("basic").provider_id
        stored = await store_qualification(session, provider, parse_json(json.dumps(again).encode()))
    assert stored.outcome is Outcome.UPDATED
    assert (await scenario.one(Qualification, stored.qualification_id)).optional_units_minimum == 2
    assert (await read(scenario, aim))["unitsToChoose"] == 2
