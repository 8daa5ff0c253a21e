"""The only clock: timestamps are in UTC, days are days in London."""

import datetime as dt
from zoneinfo import ZoneInfo

from domain.day_number import FIRST_DAY

LONDON = ZoneInfo("Europe/London")


def now() -> dt.datetime:
    """Returns the current time in UTC, timezone-aware, with microseconds."""
    return dt.datetime.now(dt.UTC)


def day_of(moment: dt.datetime) -> dt.date:
    """Returns the date in London at that moment."""
    # Since 1972 London is at UTC or an hour ahead of it. Conversion takes ten times as long.
    if moment.tzinfo is dt.UTC and moment.hour < 23 and moment.year > 1971:
        return moment.date()
    return moment.astimezone(LONDON).date()


def today() -> dt.date:
    """Returns today's date in London, the day boundary of every rule."""
    return day_of(now())


def start_of(day: dt.date) -> dt.datetime:
    """Returns the start of a London day, in UTC."""
    return dt.datetime.combine(day, dt.time(), LONDON).astimezone(dt.UTC)


def end_of(day: dt.date) -> dt.datetime:
    """Returns the end of a London day, which is the start of the next one, in UTC."""
    if day == dt.date.max:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    return start_of(day + dt.timedelta(days=1))


def london_time(day: dt.date, hour: int = 9, minute: int = 0) -> dt.datetime:
    """The moment, in UTC, of a time of day in London."""
    return dt.datetime.combine(day, dt.time(hour, minute), LONDON).astimezone(dt.UTC)


def weeks_after(day: dt.date, weeks: int) -> dt.date | None:
    """Returns the day so many weeks later; None if the calendar ends before it."""
    try:
        return day + dt.timedelta(weeks=weeks)
    except OverflowError:
        return None


# A date that is later is a typing error, as is one before `FIRST_DAY`.
_MAX_AHEAD = dt.timedelta(days=3653)


def is_plausible(day: dt.date) -> bool:
    """Returns whether a person can mean that day: between 2000 and ten years from now."""
    return FIRST_DAY <= day <= today() + _MAX_AHEAD
