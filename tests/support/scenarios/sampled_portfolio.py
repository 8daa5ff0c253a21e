"""What the tests of sampling add to the empty portfolio: a signed unit, a policy, and the steps of a sample."""

from typing import Any

from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

# All of everything, so that a plan has every unit.
WHOLE = {"aimsPercent": 100, "unitsPercent": 100, "firstUnitsOfNewAssessor": 0}
GOOD = {"valid": True, "authentic": True, "current": True, "sufficient": True}


async def signed_unit(scenario: EmptyPortfolio, unit: int = 0) -> str:
    """Adds evidence for every criterion of a unit, signs them off and signs the unit; returns the evidence's id."""
    learner, assessor = scenario.client("learner"), scenario.client("assessor")
    input = {
        "aimId": scenario.aim, "fileId": await scenario.upload("learner"), "title": "Wheel", "description": "Built.",
        "declareOwnWork": True, "password": PASSWORD, "actionId": None,
    }  # fmt: skip
    evidence = (await learner.mutate("evidenceSubmit", input=input))["id"]
    await sign_off(scenario, evidence, scenario.criteria[:2] if unit == 0 else scenario.criteria[2:])
    await assessor.mutate("unitSign", id=scenario.units[unit], password=PASSWORD)
    return evidence


async def sign_off(scenario: EmptyPortfolio, evidence: str, criteria: list[str]) -> None:
    """Maps evidence to criteria and signs them off."""
    mappings = [{"criterionId": each, "signOff": True} for each in criteria]
    judged = {"assessmentMethods": ["PRODUCT"], "mappings": mappings}
    await scenario.client("assessor").mutate("evidenceAssess", id=evidence, input=judged)


def assessor_id(scenario: EmptyPortfolio) -> str:
    return f"User_{scenario.user('assessor').id}"


async def save_policy(scenario: EmptyPortfolio, **policy: int) -> None:
    await scenario.client("master").mutate("samplingPolicySave", input={**WHOLE, **policy})


async def planned(scenario: EmptyPortfolio, who: str = "iqa", seed: int = 7) -> list[dict[str, Any]]:
    """Makes a plan for Ada's assessor, and returns its samples."""
    payload = await scenario.client(who).payload("samplingPlanMake", assessorId=assessor_id(scenario), seed=seed)
    assert payload["errors"] == [], payload
    return payload["samples"]


async def begun(scenario: EmptyPortfolio) -> str:
    """Begins the sample of the first unit, which is signed; returns its id."""
    await save_policy(scenario)
    sample = next(each for each in await planned(scenario) if each["unit"]["id"] == scenario.units[0])
    return (await scenario.client("iqa").mutate("sampleBegin", id=sample["id"]))["id"]


def conclusion(outcome: str, *actions: str, **finding: Any) -> dict[str, Any]:
    """Returns the input of a conclusion with one finding, which is good unless it says otherwise."""
    return {"outcome": outcome, "findings": [{**GOOD, **finding}], "actions": list(actions)}
