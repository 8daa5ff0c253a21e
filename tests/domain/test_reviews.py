"""Reviews: due by the rule of the aim's start, suspended by breaks, booked in time or not."""

import datetime as dt
from random import Random

import pytest
from sqlalchemy import Date, bindparam, select

from db.database import Database
from db.models.base import UtcDateTime
from db.sql.day_number import LondonDay
from db.sql.reviews import due_day, parameters
from domain import clock
from domain.day_number import day_number
from domain.enums import ReviewBooking
from domain.reviews import (
    MONTHLY_FROM,
    STANDARD_MONTHS,
    STANDARD_WEEKS,
    end_of_month,
    months_later,
    review_booking,
    review_due,
)
from tests.support.cases import CASES

DAY = dt.date.fromisoformat


@pytest.mark.parametrize("case", CASES["review_due"])
def test_the_cases(case: dict):
    last = DAY(case["lastReview"]) if case["lastReview"] else None
    assert review_due(last, [DAY(case["aimStarted"])], None, STANDARD_WEEKS, STANDARD_MONTHS) == DAY(case["due"])


def test_of_aims_under_both_rules_the_earlier_day_holds():
    last, old, new = DAY("2026-08-01"), DAY("2025-07-31"), DAY("2025-08-01")
    assert review_due(last, [old], None, 12, 3) == DAY("2026-10-24")
    assert review_due(last, [new], None, 12, 3) == DAY("2026-11-30")
    assert review_due(last, [new, old], None, 12, 3) == DAY("2026-10-24")
    assert review_due(last, [], None, 12, 3) is None


def test_the_provider_may_set_another_rule():
    last, new = DAY("2026-08-15"), DAY("2025-09-01")
    assert review_due(last, [new], None, 8, 3) == DAY("2026-10-10")
    assert review_due(last, [new], None, 12, 2) == DAY("2026-10-31")


def test_after_a_break_it_is_due_a_month_after_the_return_at_the_earliest():
    last, start = DAY("2026-01-10"), DAY("2025-09-01")
    assert review_due(last, [start], DAY("2026-04-20"), 12, 3) == DAY("2026-05-20")
    assert review_due(last, [start], DAY("2026-02-01"), 12, 3) == DAY("2026-04-30")
    # A review after the return starts the interval again.
    assert review_due(DAY("2026-04-21"), [start], DAY("2026-04-20"), 12, 3) == DAY("2026-07-31")
    # So does one on the day of the return.
    assert review_due(DAY("2026-01-31"), [start], DAY("2026-01-31"), 12, 0) == DAY("2026-01-31")
    # Without one, the return delays what is due after the start.
    assert review_due(None, [start], DAY("2026-04-20"), 12, 3) == DAY("2026-05-20")


def test_months_are_those_of_the_calendar():
    assert months_later(DAY("2026-11-30"), 3) == DAY("2027-02-28")
    assert months_later(DAY("2027-12-31"), 2) == DAY("2028-02-29")
    assert end_of_month(DAY("2026-12-01")) == DAY("2026-12-31")
    # Up to the last one.
    assert months_later(DAY("9999-11-30"), 1) == DAY("9999-12-30")
    assert months_later(DAY("9999-12-01"), 1) == dt.date.max


def test_booked_too_late_or_not_at_all():
    due = DAY("2026-11-30")
    assert review_booking(due, DAY("2026-11-30")) is ReviewBooking.BOOKED
    assert review_booking(due, DAY("2026-12-01")) is ReviewBooking.BOOKED_TOO_LATE
    assert review_booking(due, None) is ReviewBooking.NOT_BOOKED
    assert review_booking(None, DAY("2026-12-01")) is None


async def test_sql_counts_as_python_does(database: Database):
    """On every pair of rules, around the ends of months and with and without a review and a return."""
    chance = Random(7)
    first, last = DAY("2024-01-29"), DAY("2026-03-02")
    names = {"last": UtcDateTime, "weekly": Date, "monthly": Date, "returned": Date}
    statement = select(due_day(*(bindparam(name, type_=type_) for name, type_ in names.items())))
    for _ in range(300):
        days = {name: chance.choice([None, first, first + dt.timedelta(chance.randrange(800)), last]) for name in names}
        weeks, months = chance.choice([(12, 3), (8, 3), (12, 1), (12, 6)])
        weekly, monthly = days["weekly"], days["monthly"]
        # Each rule has starts on its own side of the day on which it changed.
        weekly = weekly and min(weekly, MONTHLY_FROM - dt.timedelta(1))
        monthly = monthly and max(monthly, MONTHLY_FROM)
        starts = [day for day in (weekly, monthly) if day]
        expected = review_due(days["last"], starts, days["returned"], weeks, months)
        bound = {
            "last": days["last"] and clock.london_time(days["last"], chance.choice([2, 22])),
            "weekly": weekly,
            "monthly": monthly,
        }
        [[number]] = await database.rows(
            statement, {**bound, "returned": days["returned"], **parameters(weeks, months)}
        )
        assert number == (expected and day_number(expected)), (days, weeks, months)


async def test_sql_knows_the_day_in_london(database: Database):
    """Each hour around the changes of the clock, and on days without one."""
    london = select(LondonDay(bindparam("at", type_=UtcDateTime())))
    for change in ("2024-03-31", "2026-03-29", "2026-10-25", "2027-10-31", "2026-07-01", "2026-12-31"):
        for hour in range(-26, 27):
            at = dt.datetime.fromisoformat(f"{change}T01:00:00.000001+00:00") + dt.timedelta(hours=hour)
            (row,) = await database.rows(london, {"at": at})
            assert row[0] == clock.day_of(at), at
