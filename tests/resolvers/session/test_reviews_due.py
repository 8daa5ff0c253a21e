"""Reviews through the graph: due by the rule, the next one booked in time, too late or not at all."""

import datetime as dt
from typing import Any

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.provider import Provider
from domain import clock
from domain import global_id as ids
from domain.enums import SessionStatus, SessionType
from domain.reviews import end_of_month, months_later
from tests.support.factories import DAY, Factory
from tests.support.moments import days_from_now
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

LEARNER = """
query($id: ID!) { learner(id: $id) {
  lastReviewAt reviewDueOn reviewBooking nextReview { type startsAt } nextSession { type }
} providerSettings { reviewIntervalWeeks reviewRule { everyWeeks everyMonths source } } }
"""


async def read(scenario: EmptyPortfolio, who: str = "assessor") -> dict[str, Any]:
    return (await scenario.client(who).data(LEARNER, id=scenario.ada))["learner"]


async def visit(scenario: EmptyPortfolio, days: int, type: SessionType, status: SessionStatus) -> None:
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        learner = await session.get_one(Learner, aim.learner_id)
        at = days_from_now(days)
        await Factory(session).session_of(learner, scenario.user("assessor"), at, aim, type=type, status=status)


async def start(scenario: EmptyPortfolio, day: dt.date) -> None:
    async with scenario.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", scenario.aim))).start_date = day


async def test_the_next_review_is_a_review(scenario: EmptyPortfolio) -> None:
    today = clock.today()
    await start(scenario, dt.date(2025, 9, 1))
    await visit(scenario, -10, SessionType.FORMAL_REVIEW, SessionStatus.ATTENDED)
    await visit(scenario, 3, SessionType.GENERAL, SessionStatus.PLANNED)
    due = end_of_month(months_later((today - 10 * DAY).replace(day=1), 3))
    found = await read(scenario)
    assert (found["reviewDueOn"], found["reviewBooking"]) == (due.isoformat(), "NOT_BOOKED")
    assert (found["nextReview"], found["nextSession"]) == (None, {"type": "GENERAL"})
    await visit(scenario, (due - today).days + 1, SessionType.FORMAL_REVIEW, SessionStatus.PLANNED)
    found = await read(scenario)
    assert (found["reviewBooking"], found["nextReview"]["type"]) == ("BOOKED_TOO_LATE", "FORMAL_REVIEW")
    await visit(scenario, 5, SessionType.FORMAL_REVIEW, SessionStatus.PLANNED)
    assert (await read(scenario))["reviewBooking"] == "BOOKED"


async def test_a_break_suspends_the_due_day(scenario: EmptyPortfolio) -> None:
    today, client = clock.today(), scenario.client("assessor")
    await start(scenario, dt.date(2025, 7, 1))
    await visit(scenario, -80, SessionType.FORMAL_REVIEW, SessionStatus.ATTENDED)
    assert (await read(scenario))["reviewDueOn"] == (today + 4 * DAY).isoformat()
    begin = {"aimIds": [scenario.aim], "startDate": (today - 20 * DAY).isoformat(), "reason": "ILLNESS"}
    await client.mutate("breakBegin", input=begin)
    found = await read(scenario)
    assert (found["reviewDueOn"], found["reviewBooking"]) == (None, None)
    query = "query($id: ID!) { aim(id: $id) { breaks { id } } }"
    [each] = (await client.data(query, id=scenario.aim))["aim"]["breaks"]
    await client.mutate("breakEnd", id=each["id"], returnedOn=today.isoformat())
    assert (await read(scenario))["reviewDueOn"] == months_later(today, 1).isoformat()
    # For an admin another aim, which was on no break, counts too.
    assert (await read(scenario, "basic"))["reviewDueOn"] == (today + 4 * DAY).isoformat()


async def test_the_rule_of_the_settings(scenario: EmptyPortfolio) -> None:
    master = scenario.client("master")

    async def rule() -> dict[str, Any]:
        return (await scenario.client("master").data(LEARNER, id=scenario.ada))["providerSettings"]

    standard = await rule()
    assert standard["reviewIntervalWeeks"] == 12
    assert (standard["reviewRule"]["everyWeeks"], standard["reviewRule"]["everyMonths"]) == (None, 3)
    for months in (0, 13):
        errors = await master.user_errors("providerSettingsUpdate", input={"reviewRuleMonths": months})
        assert errors == {"input.reviewRuleMonths": "INVALID"}
    await master.payload("providerSettingsUpdate", input={"reviewRuleMonths": 2})
    [provider] = await scenario.rows(Provider, Provider.id == scenario.user("basic").provider_id)
    assert provider.review_rule_months == 2
    for rules, shown in (
        ({"review_months": 2}, {"everyWeeks": None, "everyMonths": 2}),
        ({"review_interval_weeks": 8, "review_months": 2}, {"everyWeeks": 8, "everyMonths": None}),
    ):
        found = await scenario.client("master", **rules).data(LEARNER, id=scenario.ada)
        rule_now = found["providerSettings"]["reviewRule"]
        assert {name: rule_now[name] for name in shown} == shown
