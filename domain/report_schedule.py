"""When a scheduled report is made: early in the morning in London."""

import datetime as dt

from domain import clock
from domain.enums import Interval

# The hour in London.
HOUR = 6


def next_time(every: Interval, now: dt.datetime) -> dt.datetime:
    """Returns the first time after `now`: of a day, of a Monday, or of the first day of a month."""
    day = clock.day_of(now)
    while not (_is_day(every, day) and clock.london_time(day, HOUR) > now):
        day += dt.timedelta(days=1)
    return clock.london_time(day, HOUR)


def _is_day(every: Interval, day: dt.date) -> bool:
    match every:
        case Interval.WEEK:
            return day.weekday() == 0
        case Interval.MONTH:
            return day.day == 1
    return True
