"""Breaks in learning begin, are corrected and end; status, history, durations and lights follow."""

import datetime as dt
from typing import Any

import pytest

from db.models.aim import Aim, AimProgress
from db.models.aim_break import AimBreak
from db.models.learner import Learner
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus
from domain.sentences import ENGLISH
from tests.support.factories import DAY, Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

PROGRAMME = """
query($id: ID!) { learner(id: $id) {
  progress { durationPercent daysOnBreak } reviewDueOn
  aims {
    id status trafficLight progress { durationPercent daysOnBreak pastPlannedEnd }
    breaks { id startDate expectedReturnDate returnedOn reason note aim { id } }
    statusHistory { status from changedBy { name } reason }
  }
} }
"""


def today() -> dt.date:
    return clock.today()


def ago(days: int) -> str:
    return (today() - days * DAY).isoformat()


async def span(scenario: EmptyPortfolio, start: int, end: int, **columns: Any) -> None:
    """Sets the aim's start and planned end in days from today."""
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        aim.start_date, aim.planned_end_date = today() + start * DAY, today() + end * DAY
        for name, value in columns.items():
            setattr(await session.get_one(AimProgress, aim.id), name, value)


async def programme(scenario: EmptyPortfolio, who: str = "assessor") -> dict[str, Any]:
    learner = (await scenario.client(who).data(PROGRAMME, id=scenario.ada))["learner"]
    return {**learner, "aim": next(aim for aim in learner["aims"] if aim["id"] == scenario.aim)}


def begin_input(scenario: EmptyPortfolio, days: int, **more: Any) -> dict[str, Any]:
    return {"aimIds": [scenario.aim], "startDate": ago(days), "reason": "ILLNESS", **more}


async def test_a_break_leaves_durations_and_lights_as_they_were(scenario: EmptyPortfolio) -> None:
    """91 days of 365, a break of 180 days, the end moved by as many: 24.9 percent, and the light of that."""
    await span(scenario, -270, 94, criteria_total=100, criteria_mapped=25)
    client = scenario.client("assessor")
    await client.mutate("breakBegin", input=begin_input(scenario, 180, note="Operation", expectedReturnDate=ago(-9)))
    aim = (await programme(scenario))["aim"]
    assert (aim["status"], aim["trafficLight"], aim["progress"]["pastPlannedEnd"]) == ("SUSPENDED", "NOT_RATED", False)
    [found] = aim["breaks"]
    assert {**found, "id": "", "aim": found["aim"]["id"]} == {
        "id": "", "aim": scenario.aim, "startDate": ago(180), "expectedReturnDate": ago(-9), "returnedOn": None,
        "reason": "ILLNESS", "note": "Operation",
    }  # fmt: skip
    moved = (today() + 274 * DAY).isoformat()
    await client.mutate("breakEnd", id=found["id"], returnedOn=today().isoformat(), plannedEndDate=moved)
    learner = await programme(scenario)
    aim = learner["aim"]
    assert aim["progress"] == {"durationPercent": 24.9, "daysOnBreak": 180, "pastPlannedEnd": False}
    assert (aim["status"], aim["trafficLight"], aim["breaks"][0]["returnedOn"]) == (
        "IN_TRAINING", "ON_TRACK", today().isoformat(),
    )  # fmt: skip
    assert [(each["status"], each["from"], each["changedBy"]["name"]) for each in aim["statusHistory"]] == [
        ("SUSPENDED", ago(180), "Assessor"), ("IN_TRAINING", today().isoformat(), "Assessor"),
    ]  # fmt: skip
    assert aim["statusHistory"][0]["reason"] == "Operation"
    assert await scenario.audit_trail() == ["breakBegin", "breakEnd"]
    # Ending it again the same way changes nothing, another way is a conflict.
    await client.mutate("breakEnd", id=found["id"], returnedOn=today().isoformat())
    errors = await client.user_errors("breakEnd", id=found["id"], returnedOn=ago(1))
    assert errors == {"id": "CONFLICT"}


async def test_a_break_is_corrected_and_opened_again(scenario: EmptyPortfolio) -> None:
    await span(scenario, -99, 100)
    client = scenario.client("basic")
    await client.mutate("breakBegin", input=begin_input(scenario, 20))
    [found] = (await programme(scenario))["aim"]["breaks"]
    await client.mutate("breakUpdate", id=found["id"], input={"returnedOn": ago(10)})
    assert (await programme(scenario))["aim"]["progress"]["daysOnBreak"] == 10
    await client.mutate("breakUpdate", id=found["id"], input={"startDate": ago(30), "note": "From the letter"})
    aim = (await programme(scenario))["aim"]
    assert (aim["progress"]["daysOnBreak"], aim["status"]) == (20, "IN_TRAINING")
    # 100 days have begun, 20 of them on the break, of 200.
    assert aim["progress"]["durationPercent"] == 44.4
    await client.mutate("breakUpdate", id=found["id"], input={"returnedOn": None})
    aim = (await programme(scenario))["aim"]
    assert (aim["progress"]["daysOnBreak"], aim["status"]) == (31, "SUSPENDED")
    await scenario.check_progress()
    assert len(await scenario.audit_trail()) == 4
    await client.mutate("breakUpdate", id=found["id"], input={})
    assert len(await scenario.audit_trail()) == 4


async def test_breaks_of_one_aim_never_overlap(scenario: EmptyPortfolio) -> None:
    await span(scenario, -99, 100)
    client = scenario.client("assessor")
    await client.mutate("breakBegin", input=begin_input(scenario, 40))
    [first] = (await programme(scenario))["aim"]["breaks"]
    assert await client.user_errors("breakBegin", input=begin_input(scenario, 10)) == {"input.aimIds.0": "CONFLICT"}
    await client.mutate("breakEnd", id=first["id"], returnedOn=ago(20))
    payload = await client.payload("breakBegin", input=begin_input(scenario, 21))
    first_day, last_day = (ENGLISH.value(dt.date.fromisoformat(ago(days))) for days in (40, 21))
    assert f"from {first_day} to {last_day}" in payload["errors"][0]["message"]
    await client.mutate("breakBegin", input=begin_input(scenario, 20))
    _, second = (await programme(scenario))["aim"]["breaks"]
    assert await client.user_errors("breakUpdate", id=first["id"], input={"returnedOn": ago(19)}) == {"id": "CONFLICT"}
    assert await client.user_errors("breakUpdate", id=second["id"], input={"startDate": ago(41)}) == {"id": "CONFLICT"}
    # 20 days of the first, and of the second those up to today.
    assert (await programme(scenario))["aim"]["progress"]["daysOnBreak"] == 20 + 21


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"startDate": ago(-1)}, {"input.startDate": "INVALID"}),
        ({"startDate": ago(100)}, {"input.startDate": "INVALID"}),
        ({"expectedReturnDate": ago(10)}, {"input.expectedReturnDate": "INVALID"}),
        ({"aimIds": []}, {"input.aimIds": "REQUIRED"}),
        ({"aimIds": ["Aim_999999"]}, {"input.aimIds.0": "NOT_FOUND"}),
    ],
)
async def test_what_a_break_cannot_be(scenario: EmptyPortfolio, change: dict, errors: dict) -> None:
    await span(scenario, -99, 100)
    asked = {**begin_input(scenario, 10), **change}
    assert await scenario.client("assessor").user_errors("breakBegin", input=asked) == errors
    assert not await scenario.rows(AimBreak)


async def test_the_return_lies_after_the_start_and_not_ahead(scenario: EmptyPortfolio) -> None:
    await span(scenario, -99, 100)
    client = scenario.client("assessor")
    await client.mutate("breakBegin", input=begin_input(scenario, 10))
    [found] = (await programme(scenario))["aim"]["breaks"]
    for wrong in (ago(10), ago(11), ago(-1)):
        assert await client.user_errors("breakEnd", id=found["id"], returnedOn=wrong) == {"returnedOn": "INVALID"}
    errors = await client.user_errors("breakEnd", id=found["id"], returnedOn=ago(3), plannedEndDate=ago(4))
    assert errors == {"plannedEndDate": "INVALID"}


async def test_the_status_set_by_hand_begins_and_ends_breaks(scenario: EmptyPortfolio) -> None:
    await span(scenario, -99, 100)
    client = scenario.client("assessor")
    await client.mutate("aimUpdate", id=scenario.aim, input={"status": "SUSPENDED", "reason": "Furlough"})
    aim = (await programme(scenario))["aim"]
    assert [(each["startDate"], each["returnedOn"], each["reason"]) for each in aim["breaks"]] == [
        (today().isoformat(), None, "OTHER")
    ]
    assert aim["statusHistory"][-1]["reason"] == "Furlough"
    await client.mutate("aimUpdate", id=scenario.aim, input={"status": "WITHDRAWN"})
    aim = (await programme(scenario))["aim"]
    assert aim["breaks"][0]["returnedOn"] == today().isoformat()
    assert [each["status"] for each in aim["statusHistory"]] == ["SUSPENDED", "WITHDRAWN"]
    await scenario.check_progress()


async def test_nothing_that_fell_due_on_a_break_is_overdue(scenario: EmptyPortfolio) -> None:
    await span(scenario, -99, 100)
    client = scenario.client("assessor")
    for days in (30, 5):
        async with scenario.database.writing() as session:
            aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
            learner = await session.get_one(Learner, aim.learner_id)
            await Factory(session).action(
                learner, scenario.user("assessor"), aim, target_date=today() - days * DAY, title=f"Due {days} days ago"
            )
    query = """query($id: ID!) { viewer { kpis { overdueActionCount outstandingActionCount } }
      learner(id: $id) { overdueActionCount actions { nodes { title overdue } } }
      actions(overdueOnly: true) { totalCount } }"""
    before = await client.data(query, id=scenario.ada)
    await client.mutate("breakBegin", input=begin_input(scenario, 10))
    after = await client.data(query, id=scenario.ada)
    assert [each["overdue"] for each in after["learner"]["actions"]["nodes"] if each["title"].startswith("Due")] == [
        True, False,
    ]  # fmt: skip
    for path in (
        ("viewer", "kpis", "overdueActionCount"),
        ("learner", "overdueActionCount"),
        ("actions", "totalCount"),
    ):
        one, other = before, after
        for name in path:
            one, other = one[name], other[name]
        assert other == one - 1, path
    assert after["viewer"]["kpis"]["outstandingActionCount"] == before["viewer"]["kpis"]["outstandingActionCount"]


async def test_other_roles_cannot(scenario: EmptyPortfolio) -> None:
    for who in ("learner", "iqa", "manager", "overview"):
        assert await scenario.client(who).user_errors("breakBegin", input=begin_input(scenario, 1)) == {
            None: "NOT_ALLOWED"
        }
    foreign = {**begin_input(scenario, 1), "aimIds": [scenario.foreign_aim]}
    assert await scenario.client("master").user_errors("breakBegin", input=foreign) == {"input.aimIds.0": "NOT_FOUND"}
    assert (await scenario.one(Aim, ids.decode("Aim", scenario.aim))).status is AimStatus.IN_TRAINING
