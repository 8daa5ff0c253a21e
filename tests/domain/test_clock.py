"""Days are days in London."""

import datetime as dt

import pytest

from domain import clock


@pytest.mark.parametrize("year", [1900, 1941, 1968, 1971, 1972, 1981, 2026, 2027, 2099])
def test_each_hour_of_a_year_is_on_the_day_of_london(year: int) -> None:
    moment = dt.datetime(year - 1, 12, 31, tzinfo=dt.UTC)
    while moment.year <= year:
        for each in (moment, moment + dt.timedelta(minutes=59, seconds=59, microseconds=999_999)):
            expected = each.astimezone(clock.LONDON).date()
            assert clock.day_of(each) == expected, each
            assert clock.day_of(each.astimezone(clock.LONDON)) == expected, each
        moment += dt.timedelta(hours=1)


def test_a_day_of_summer_begins_an_hour_before_that_of_utc() -> None:
    assert clock.day_of(dt.datetime(2026, 7, 1, 22, 59, 59, tzinfo=dt.UTC)) == dt.date(2026, 7, 1)
    assert clock.day_of(dt.datetime(2026, 7, 1, 23, tzinfo=dt.UTC)) == dt.date(2026, 7, 2)
    assert clock.day_of(dt.datetime(2026, 12, 1, 23, 30, tzinfo=dt.UTC)) == dt.date(2026, 12, 1)
