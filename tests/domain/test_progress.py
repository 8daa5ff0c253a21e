"""Progress rules at every boundary, in Python and in SQL on both databases."""

import datetime as dt
from itertools import product

import pytest
from sqlalchemy import BigInteger, literal, select

from db.database import Database
from db.models.aim import Aim, AimProgress
from db.sql import progress as progress_sql
from domain import off_the_job, progress
from domain.enums import AimStatus, TrafficLight
from tests.support.cases import CASES
from tests.support.factories import Factory

DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 6, 10)
OFF, ON, AHEAD, NONE = TrafficLight.OFF_TRACK, TrafficLight.ON_TRACK, TrafficLight.AHEAD, TrafficLight.NOT_RATED


def rated(mapped: int, duration: int, *, total: int = 10, training: bool = True, tolerance=10.0, rated_from=0.0):
    """The light from tenths of a percent."""
    return progress.traffic_light(
        in_training=training,
        criteria_total=total,
        mapped=mapped,
        duration=duration,
        tolerance=tolerance,
        rated_from=rated_from,
    )


@pytest.mark.parametrize(
    ("mapped", "duration", "light"),
    [
        (400, 499, ON),  # 9.9 behind
        (400, 500, OFF),  # 10 behind
        (400, 501, OFF),
        (599, 500, ON),  # 9.9 ahead
        (600, 500, AHEAD),  # 10 ahead
        (500, 500, ON),
        (0, 0, ON),  # the day before the first: nothing is due
        (1000, 1000, ON),
    ],
)
def test_the_light_turns_at_the_tolerance(mapped, duration, light):
    assert rated(mapped, duration) is light


def test_nothing_to_measure_is_not_rated():
    assert rated(0, 500, total=0) is NONE
    assert rated(0, 500, training=False) is NONE
    assert rated(0, 249, rated_from=25.0) is NONE
    assert rated(0, 250, rated_from=25.0) is OFF


def test_without_tolerance_level_is_off_track():
    assert [rated(mapped, 500, tolerance=0.0) for mapped in (499, 500, 501)] == [OFF, OFF, AHEAD]


def test_both_days_count():
    start, end = dt.date(2026, 6, 1), dt.date(2026, 6, 10)
    elapsed = [progress.duration_tenths(start, end, start + days * DAY) for days in (-1, 0, 4, 9, 10)]
    assert elapsed == [0, 100, 500, 1000, 1000]
    assert progress.duration_tenths(start, start, start) == 1000


def test_days_of_breaks_that_have_ended_and_of_one_that_has_not():
    start, end = dt.date(2026, 6, 1), dt.date(2026, 6, 30)
    assert progress.days_counted(start, start) == 1 and progress.days_counted(start, end) == 30
    assert progress.days_on_break(4, None, start, end, end) == 4
    assert [progress.days_on_break(4, start + 9 * DAY, start, end, start + days * DAY) for days in (8, 9, 40)] == [
        4,
        5,
        25,
    ]
    assert progress.days_on_break(0, start - DAY, start, end, start) == 1


def test_all_criteria_are_whole_unless_units_are_still_to_choose():
    assert progress.reached_tenths(5, 5) == 1000
    assert progress.reached_tenths(5, 5, 1) == 999


def test_red_begins_the_day_after_the_planned_end():
    assert not progress.is_past_planned_end(AimStatus.IN_TRAINING, TODAY, TODAY)
    assert progress.is_past_planned_end(AimStatus.IN_TRAINING, TODAY - DAY, TODAY)
    assert not progress.is_past_planned_end(AimStatus.SUSPENDED, TODAY - DAY, TODAY)
    assert not progress.is_past_planned_end(AimStatus.COMPLETED, TODAY - DAY, TODAY)


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(1, 3, 33.3), (2, 3, 66.7), (1, 8, 12.5), (1, 2000, 0.1), (1, 2001, 0.1), (1999, 2000, 99.9), (1, 0, 0.0)]
    + [(case["reached"], case["total"], case["percent"]) for case in CASES["percentages"]],
)
def test_percentages_are_exact_to_one_decimal_half_up(part, whole, percent):
    assert progress.percent(part, whole) == percent


def test_a_share_is_whole_only_where_nothing_is_missing():
    assert [progress.share(part, 3000, 60) for part in (-1, 0, 1, 1500, 2999, 3000, 3001)] == [0, 0, 1, 30, 59, 60, 60]
    assert [progress.share(1, 2, of) for of in (0, 1, 2)] == [0, 0, 1]


async def test_sql_shares_as_python_does(database: Database):
    parts, wholes, ofs = (-1, 0, 1, 2, 999, 1999, 2499, 2500, 2600), (0, 1, 3, 2000, 2500), (0, 1, 2, 1000, 7_001)
    grid = list(product(parts, wholes, ofs))
    columns = [
        progress_sql.share(*(literal(number, BigInteger) for number in each)).label(f"c{index}")
        for index, each in enumerate(grid)
    ]
    (row,) = await database.rows(select(*columns))
    assert list(row) == [progress.share(*each) for each in grid]


def grid() -> list[dict]:
    """Aims around every boundary: before the start, day 0, the end date and the day after, shares at the tolerance."""
    ends = [
        (TODAY + DAY, TODAY + 9 * DAY),  # not begun
        (TODAY, TODAY + 199 * DAY),  # day 0
        (TODAY, TODAY),
        (TODAY - 99 * DAY, TODAY + 100 * DAY),  # 50.0 percent
        (TODAY - 98 * DAY, TODAY + 101 * DAY),  # 49.5 percent
        (TODAY - 30 * DAY, TODAY),  # the end date
        (TODAY - 30 * DAY, TODAY - DAY),  # the day after it
        (TODAY - 5 * DAY, TODAY - 6 * DAY),  # no days at all
    ]
    # Differences of 9.9, 10 and 10.1 points either side of 50, no criteria, none mapped, all mapped.
    shares = [(0, 0), (3, 1), *((1000, mapped) for mapped in (0, 399, 400, 401, 500, 599, 600, 601, 1000))]
    return [
        {"start_date": start, "planned_end_date": end, "criteria": total, "mapped": mapped, "status": status}
        for (start, end), (total, mapped), status in product(ends, shares, AimStatus)
    ]


@pytest.mark.parametrize(("tolerance", "rated_from"), [(10.0, 0.0), (9.9, 50.0), (0.0, 49.5)])
async def test_sql_counts_as_python_does(database: Database, tolerance: float, rated_from: float):
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        learner = await factory.learner(provider, "Ada")
        qualification = await factory.qualification(provider, units=())
        aims = [(await factory.aim(learner, qualification, **columns), columns) for columns in grid()]
    required = literal(7_001, BigInteger)
    statement = (
        select(
            Aim.id,
            *(progress_sql.aim_traffic_light_is(light).label(light.name) for light in TrafficLight),
            progress_sql.duration_tenths().label("duration"),
            progress_sql.mapped_tenths().label("mapped"),
            progress_sql.past_planned_end().label("past"),
            progress_sql.expected_minutes(required).label("expected"),
        )
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .where(Aim.learner_id == learner.id)
    )
    rows = await database.rows(statement, progress_sql.parameters(TODAY, tolerance, rated_from))
    by_sql = {row.id: row for row in rows}
    assert len(by_sql) == len(aims) == 440
    lights = set()
    for aim, columns in aims:
        row, start, end = by_sql[aim.id], columns["start_date"], columns["planned_end_date"]
        duration = progress.duration_tenths(start, end, TODAY)
        mapped = progress.tenths(columns["mapped"], columns["criteria"])
        training = columns["status"] is AimStatus.IN_TRAINING
        light = rated(
            mapped, duration, total=columns["criteria"], training=training, tolerance=tolerance, rated_from=rated_from
        )
        lights.add(light)
        assert [name for name in TrafficLight.__members__ if getattr(row, name)] == [light.name], columns
        assert (row.duration, row.mapped) == (duration, mapped), columns
        assert bool(row.past) is progress.is_past_planned_end(columns["status"], end, TODAY), columns
        assert row.expected == off_the_job.expected_minutes(7_001, start, end, TODAY), columns
    assert lights == ({OFF, AHEAD, NONE} if tolerance == 0.0 else set(TrafficLight))
