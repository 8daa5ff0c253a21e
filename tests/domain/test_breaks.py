"""Breaks in learning: the cases of 0.1.0, and the same numbers in Python and in SQL."""

import datetime as dt
from random import Random

import pytest
from sqlalchemy import select

from db.database import Database
from db.models.aim import Aim, AimProgress
from db.sql import progress as progress_sql
from db.sql.breaks import days_of_programmes
from domain import off_the_job, progress
from domain.breaks import (
    AimSpan,
    BreakPeriod,
    break_sums,
    days_of_programme,
    days_within,
    format_periods,
    parse_periods,
)
from domain.enums import AimStatus, Role
from services.progress import break_columns
from tests.support.cases import CASES
from tests.support.factories import DAY, Factory

TODAY = dt.date(2026, 6, 10)


def day(text: str | None) -> dt.date | None:
    return text and dt.date.fromisoformat(text)


@pytest.mark.parametrize("case", [case for case in CASES["breaks"] if "durationPercent" in case])
def test_the_days_of_a_break_count_in_no_duration(case: dict):
    period, end = BreakPeriod(day(case["break"][0]), day(case["break"][1])), day(case["newPlannedEnd"])
    away = days_within([period], day(case["start"]), end)
    assert away == case["daysOnBreak"]
    duration = progress.duration_tenths(day(case["start"]), end, day(case["today"]), away)
    assert duration / 10 == case["durationPercent"]


def test_a_break_ends_the_day_before_the_return():
    start, returned = TODAY, TODAY + 3 * DAY
    period = BreakPeriod(start, returned)
    assert [period.includes(start + number * DAY) for number in (-1, 0, 2, 3)] == [False, True, True, False]
    assert period.days_within(start - DAY, returned) == 3
    assert not period.overlaps(BreakPeriod(returned, None)) and period.overlaps(BreakPeriod(returned - DAY, None))
    assert not period.overlaps(BreakPeriod(start - DAY, start)) and period.overlaps(BreakPeriod(start, start))
    assert BreakPeriod(start - DAY, None).overlaps(period) and not BreakPeriod(returned, None).overlaps(period)


def test_a_break_as_of_a_day_has_no_return_that_comes_later():
    period = BreakPeriod(TODAY, TODAY + 3 * DAY)
    assert period.as_of(TODAY + 2 * DAY) == BreakPeriod(TODAY, None)
    assert period.as_of(TODAY + 3 * DAY) == period
    assert BreakPeriod(TODAY, None).as_of(TODAY) == BreakPeriod(TODAY, None)


def test_the_days_of_breaks_that_have_ended_and_the_start_of_one_that_has_not_are_stored():
    ended, unfinished = BreakPeriod(TODAY - 20 * DAY, TODAY - 15 * DAY), BreakPeriod(TODAY, None)
    assert break_sums([ended, unfinished], TODAY - 18 * DAY, TODAY + 9 * DAY) == (3, TODAY)
    assert break_sums([ended], TODAY - 30 * DAY, TODAY) == (5, None)


def test_breaks_are_stored_as_text():
    periods = [BreakPeriod(TODAY, None), BreakPeriod(TODAY - 9 * DAY, TODAY - 3 * DAY)]
    text = format_periods(periods)
    assert text == "2026-06-01/2026-06-07 2026-06-10/"
    assert parse_periods(text) == periods[::-1]
    assert format_periods([]) is None and parse_periods(None) == []


def test_a_programme_is_on_a_break_while_every_aim_is():
    first = BreakPeriod(TODAY, TODAY + 10 * DAY)
    both = [
        AimSpan(TODAY - 50 * DAY, None, [first]),
        AimSpan(TODAY - 50 * DAY, None, [BreakPeriod(TODAY + 4 * DAY, None)]),
    ]
    until = TODAY + 30 * DAY
    assert days_of_programme(both[:1], TODAY - 50 * DAY, until) == 10
    assert days_of_programme(both, TODAY - 50 * DAY, until) == 6
    # An aim that has ended by then, or begins later, is not in training.
    ended, later = AimSpan(TODAY - 50 * DAY, TODAY + DAY, []), AimSpan(TODAY + 8 * DAY, None, [])
    assert days_of_programme([both[0], ended], TODAY - 50 * DAY, until) == 8
    assert days_of_programme([both[0], later], TODAY - 50 * DAY, until) == 8


async def test_sql_counts_as_python_does(database: Database):
    rng = Random(3)
    others = (AimStatus.IN_TRAINING, AimStatus.COMPLETED)
    programmes: dict[int, list[tuple[Aim, list[BreakPeriod]]]] = {}
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        await factory.user(provider, "Ann", Role.ASSESSOR)
        qualification = await factory.qualification(provider, units=())
        for number in range(60):
            learner = await factory.learner(provider, f"Learner {number}")
            for _ in range(rng.randint(1, 3)):
                start = TODAY - rng.randrange(-5, 300) * DAY
                periods = _periods(rng, start)
                open_break = any(each.returned is None for each in periods)
                aim = await factory.aim(
                    learner, qualification, criteria=10, start_date=start,
                    planned_end_date=start + rng.randrange(1, 400) * DAY,
                    status=AimStatus.SUSPENDED if open_break else rng.choice(others),
                    breaks=[(each.start, each.returned) for each in periods],
                )  # fmt: skip
                if aim.status is AimStatus.COMPLETED:
                    aim.actual_end_date = max(start, TODAY - rng.randrange(0, 90) * DAY)
                programmes.setdefault(learner.id, []).append((aim, periods))
    columns = (progress_sql.days_on_break(), progress_sql.duration_tenths(), progress_sql.expected_minutes(7_001))
    statement = select(Aim.id, *(column.label(f"c{n}") for n, column in enumerate(columns))).join(
        AimProgress, AimProgress.aim_id == Aim.id
    )
    parameters = progress_sql.parameters(TODAY, 10, 0)
    by_sql = {row.id: tuple(row)[1:] for row in await database.rows(statement, parameters)}
    breaks = days_of_programmes(select(Aim.id))
    days_by_sql = {row.learner_id: int(row.days) for row in await database.rows(select(breaks), parameters)}
    seen = set()
    for learner_key, aims in programmes.items():
        for aim, periods in aims:
            start, end = aim.start_date, aim.planned_end_date
            away = days_within(periods, start, min(TODAY, end))
            stored = break_columns(periods, start, end)
            assert away == progress.days_on_break(stored["days_on_break"], stored["break_since"], start, end, TODAY)
            assert by_sql[aim.id] == (
                away,
                progress.duration_tenths(start, end, TODAY, away),
                off_the_job.expected_minutes(7_001, start, end, TODAY, away),
            )
        spans = [AimSpan(aim.start_date, aim.actual_end_date, periods) for aim, periods in aims]
        begins, ends = min(span.start for span in spans), max(aim.planned_end_date for aim, _ in aims)
        days = days_of_programme(spans, begins, min(TODAY, ends))
        assert days_by_sql.get(learner_key, 0) == days, spans
        seen.add((len(aims), days > 0))
    assert seen == {(number, some) for number in (1, 2, 3) for some in (True, False)}


def _periods(rng: Random, start: dt.date) -> list[BreakPeriod]:
    """Breaks of one aim up to today, the last of them perhaps open."""
    periods, begins = [], max(start, TODAY - 200 * DAY) + rng.randrange(0, 30) * DAY
    for _ in range(rng.randint(0, 3)):
        returned = begins + rng.randint(1, 90) * DAY
        if begins >= TODAY:
            break
        periods.append(BreakPeriod(begins, returned if returned <= TODAY else None))
        if returned > TODAY:
            break
        begins = returned + rng.randrange(0, 20) * DAY
    return periods
