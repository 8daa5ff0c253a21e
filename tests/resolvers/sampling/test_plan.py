"""A policy says how much is sampled; a plan chooses units by a seed, the same each time."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import update

from db.models.aim import Aim
from db.models.sample import Sample
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus, SampleStatus
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.scenarios.sampled_portfolio import (
    WHOLE,
    assessor_id,
    begun,
    conclusion,
    planned,
    save_policy,
    signed_unit,
)

POLICY = "{ samplingPolicy { aimsPercent unitsPercent firstUnitsOfNewAssessor } }"
COVERAGE = """
{ samplingCoverage { assessor { name } aimCount aimsToSample aimsPlanned aimsConcluded unitsPlanned unitsConcluded } }
"""


async def test_a_policy_is_saved_by_a_master_admin_and_read_by_who_samples(scenario: EmptyPortfolio) -> None:
    policy = {"aimsPercent": 20, "unitsPercent": 30, "firstUnitsOfNewAssessor": 5}
    assert await scenario.client("iqa").data(POLICY) == {"samplingPolicy": None}
    for who in ("learner", "assessor", "iqa", "manager", "overview", "basic"):
        refused = await scenario.client(who).user_errors("samplingPolicySave", input=policy)
        assert refused == {None: "NOT_ALLOWED"}
    master = scenario.client("master")
    for _ in range(2):
        assert (await master.payload("samplingPolicySave", input=policy))["samplingPolicy"] == policy
    assert (await scenario.audit_trail()).count("samplingPolicySave") == 1
    for who in ("assessor", "iqa", "master"):
        assert await scenario.client(who).data(POLICY) == {"samplingPolicy": policy}
    for who in ("learner", "manager", "overview", "basic", "foreign_assessor"):
        assert await scenario.client(who).data(POLICY) == {"samplingPolicy": None}
    wrong = {"aimsPercent": 101, "unitsPercent": -1, "firstUnitsOfNewAssessor": 101}
    assert await master.user_errors("samplingPolicySave", input=wrong) == {f"input.{name}": "INVALID" for name in wrong}


async def test_the_same_seed_gives_the_same_plan(scenario: EmptyPortfolio) -> None:
    await save_policy(scenario, unitsPercent=50)
    first = await planned(scenario)
    assert len(first) == 1 and first == await planned(scenario) == await planned(scenario, "master")
    assert len(await scenario.rows(Sample)) == 1
    seeds = {sample["unit"]["id"] for seed in range(20) for sample in await planned(scenario, seed=seed)}
    assert seeds == set(scenario.units)
    assert (await planned(scenario))[0] == first[0]


async def test_plans_at_once_add_each_sample_once(scenario: EmptyPortfolio) -> None:
    await save_policy(scenario)
    plans = await asyncio.gather(*(planned(scenario, who, seed) for who in ("iqa", "master") for seed in (1, 2)))
    assert len({tuple(sample["id"] for sample in plan) for plan in plans}) == 1
    assert len(await scenario.rows(Sample)) == 2


async def test_a_signed_unit_is_looked_at_soon_and_others_at_the_planned_end(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    await save_policy(scenario)
    days = {sample["unit"]["id"]: sample["plannedFor"] for sample in await planned(scenario)}
    soon, end = clock.today() + dt.timedelta(weeks=4), clock.today() + dt.timedelta(days=100)
    assert days == {scenario.units[0]: soon.isoformat(), scenario.units[1]: end.isoformat()}


async def test_all_first_units_of_a_new_assessor_are_sampled(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario, 1)
    await signed_unit(scenario, 0)
    await save_policy(scenario, aimsPercent=0, firstUnitsOfNewAssessor=1)
    assert [sample["unit"]["id"] for sample in await planned(scenario)] == [scenario.units[1]]
    await save_policy(scenario, aimsPercent=0, firstUnitsOfNewAssessor=2)
    assert {sample["unit"]["id"] for sample in await planned(scenario)} == set(scenario.units)
    # Once so many of their samples are concluded, they are not new any more.
    async with scenario.database.writing() as session:
        await session.execute(update(Sample).values(status=SampleStatus.CONCLUDED))
    assert await planned(scenario) == []


async def test_what_cannot_be_planned(scenario: EmptyPortfolio) -> None:
    plan = {"assessorId": assessor_id(scenario), "seed": 1}
    iqa = scenario.client("iqa")
    assert await iqa.user_errors("samplingPlanMake", **plan) == {None: "CONFLICT"}
    await save_policy(scenario)
    for who in ("assessor", "basic"):
        assert await scenario.client(who).user_errors("samplingPlanMake", **plan) == {None: "NOT_ALLOWED"}
    other = f"User_{scenario.user('other_assessor').id}"
    assert await iqa.user_errors("samplingPlanMake", assessorId=other, seed=1) == {"assessorId": "INVALID"}
    foreign = f"User_{scenario.user('foreign_assessor').id}"
    assert await iqa.user_errors("samplingPlanMake", assessorId=foreign, seed=1) == {"assessorId": "NOT_FOUND"}
    async with scenario.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", scenario.aim))).status = AimStatus.WITHDRAWN
    assert await iqa.user_errors("samplingPlanMake", **plan) == {"assessorId": "INVALID"}


async def test_how_much_of_the_policy_is_planned_and_done(scenario: EmptyPortfolio) -> None:
    await signed_unit(scenario)
    assert await scenario.client("iqa").data(COVERAGE) == {"samplingCoverage": []}
    await save_policy(scenario, **{**WHOLE, "aimsPercent": 30})
    await planned(scenario)
    for who in ("iqa", "master", "assessor"):
        (found,) = (await scenario.client(who).data(COVERAGE))["samplingCoverage"]
        assert found == {
            "assessor": {"name": "Assessor"}, "aimCount": 1, "aimsToSample": 1, "aimsPlanned": 1, "aimsConcluded": 0,
            "unitsPlanned": 2, "unitsConcluded": 0,
        }  # fmt: skip
    for who in ("learner", "manager", "basic", "foreign_assessor"):
        assert await scenario.client(who).data(COVERAGE) == {"samplingCoverage": []}
    iqa = scenario.client("iqa")
    await iqa.mutate("sampleConclude", id=await begun(scenario), input=conclusion("ACCEPTED"))
    for units_done, aims_done in ((1, 0), (2, 1)):
        (found,) = (await iqa.data(COVERAGE))["samplingCoverage"]
        assert (found["unitsPlanned"], found["unitsConcluded"], found["aimsConcluded"]) == (2, units_done, aims_done)
        async with scenario.database.writing() as session:
            await session.execute(update(Sample).values(status=SampleStatus.CONCLUDED))


@pytest.mark.parametrize("who", ["learner", "manager", "overview", "basic", "other_assessor", "foreign_assessor"])
async def test_who_sees_no_samples(scenario: EmptyPortfolio, who: str) -> None:
    await save_policy(scenario)
    samples = [sample["id"] for sample in await planned(scenario)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } samples { totalCount } }"
    found = await scenario.client(who).data(query, ids=samples)
    assert found == {"nodes": [None] * len(samples), "samples": {"totalCount": 0}}
    if who in ("learner", "manager"):
        unit = "query($id: ID!) { unit(id: $id) { samples { id } } }"
        assert await scenario.client(who).data(unit, id=scenario.units[0]) == {"unit": {"samples": []}}
