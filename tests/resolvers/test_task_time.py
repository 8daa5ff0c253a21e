"""Tasks that days bring, and time to approve or confirm; optional units to choose."""

import datetime as dt

import pytest

from db.models.aim import Aim, AimProgress
from db.models.learner import Learner
from db.models.session import Session
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain import global_id as ids
from domain.enums import SessionStatus, SessionType
from tests.resolvers.test_task import subjects, tasks
from tests.support.factories import DAY, Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def move(scenario: EmptyPortfolio, session_key: int, days_ago: int) -> None:
    async with scenario.database.writing() as session:
        moved = await session.get_one(Session, session_key)
        start = clock.now() - days_ago * DAY
        moved.starts_at, moved.ends_at = start, start + dt.timedelta(hours=1)


async def test_time_waits_for_the_assessor_and_the_employer(scenario: EmptyPortfolio) -> None:
    asked = {
        "learnerId": scenario.ada, "date": clock.today().isoformat(), "activityType": "FACE_TO_FACE_SESSION",
        "minutes": 60, "comments": "Wheels", "aimId": scenario.aim,
    }  # fmt: skip
    entry = (await scenario.client("learner").mutate("timeLogEntryAdd", input=asked))["id"]
    assert await subjects(scenario, "assessor", "APPROVE_TIME") == [entry]
    for who in ("manager", "overview"):
        assert await subjects(scenario, who, "CONFIRM_TIME") == [entry]
    assert await subjects(scenario, "other_assessor", "APPROVE_TIME") == []
    await scenario.client("manager").mutate("timeLogEntryConfirm", ids=[entry])
    assert await subjects(scenario, "overview", "CONFIRM_TIME") == []
    await scenario.client("assessor").mutate("timeLogEntryApprove", ids=[entry])
    assert await subjects(scenario, "assessor", "APPROVE_TIME") == []


async def test_a_learner_who_logs_nothing_for_four_weeks_is_asked_to(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        learner = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        user = await session.get_one(type(scenario.user("learner")), learner.user_id)
        entry = await Factory(session).time_log_entry(learner, user, 60)
        entry.date = clock.today() - 27 * DAY
    assert await tasks(scenario, "learner", "LOG_LEARNING") == []
    async with scenario.database.writing() as session:
        (await session.get_one(TimeLogEntry, entry.id)).date = clock.today() - 30 * DAY
    [task] = await tasks(scenario, "learner", "LOG_LEARNING")
    assert (task["subject"]["id"], task["overdueDays"], task["title"]) == (scenario.ada, 2, "Log what you learned")


async def test_booking_a_review_is_a_task_from_four_weeks_before_it_is_due(scenario: EmptyPortfolio) -> None:
    assessor, rule = scenario.user("assessor"), {"review_interval_weeks": 8}
    due = await scenario.client("assessor").data(
        "query($id: ID!) { learner(id: $id) { reviewDueOn } }", id=scenario.ada
    )
    [task] = await tasks(scenario, "assessor", "BOOK_REVIEW")
    assert (task["title"], task["subject"]["id"]) == ("Book a formal review with Learner", scenario.ada)
    assert task["dueOn"] == due["learner"]["reviewDueOn"]
    async with scenario.database.writing() as session:
        learner = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        review = {"type": SessionType.FORMAL_REVIEW, "status": SessionStatus.ATTENDED}
        held = await Factory(session).session_of(learner, assessor, clock.now() - 29 * DAY, aim, **review)
    # Due 8 weeks later, which is in 27 days: not late yet.
    assert [task["overdueDays"] for task in await tasks(scenario, "assessor", "BOOK_REVIEW", **rule)] == [0]
    await move(scenario, held.id, 27)
    assert await tasks(scenario, "assessor", "BOOK_REVIEW", **rule) == []
    await move(scenario, held.id, 100)
    assert len(await tasks(scenario, "assessor", "BOOK_REVIEW", **rule)) == 1
    async with scenario.database.writing() as session:
        await Factory(session).session_of(learner, assessor, clock.now() + DAY, aim, type=SessionType.FORMAL_REVIEW)
    assert await tasks(scenario, "assessor", "BOOK_REVIEW", **rule) == []


async def test_optional_units_wait_for_the_assessor_or_without_one_for_the_office(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        for id in (scenario.aim, scenario.cys_aim):
            (await session.get_one(AimProgress, ids.decode("Aim", id))).units_to_choose = 1
    assert await subjects(scenario, "assessor", "CHOOSE_UNITS") == [scenario.aim]
    assert await subjects(scenario, "basic", "CHOOSE_UNITS") == [scenario.cys_aim]


@pytest.mark.parametrize(("days", "hour", "soon"), [(2, 23, True), (3, 0, False)], ids=["two-days", "three-days"])
async def test_a_session_is_a_task_from_two_days_before(
    scenario: EmptyPortfolio, days: int, hour: int, soon: bool
) -> None:
    day = clock.today() + days * DAY
    async with scenario.database.writing() as session:
        learner = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        start = clock.london_time(day, hour)
        planned = await Factory(session).session_of(learner, scenario.user("assessor"), start)
        assert isinstance(planned, Session)
    expected = [day.isoformat()] if soon else []
    for who in ("learner", "assessor"):
        assert [task["dueOn"] for task in await tasks(scenario, who, "SESSION_SOON")] == expected
    # It is about no aim in particular, so the other assessor sees it, but it is not theirs.
    assert await tasks(scenario, "other_assessor", "SESSION_SOON") == []
