"""The only clock: moments in UTC, days in London."""

import datetime as dt
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> dt.datetime:
    """This moment, aware, in UTC, with microseconds."""
    return dt.datetime.now(dt.UTC)


def day_of(moment: dt.datetime) -> dt.date:
    """The day in London that a moment falls on."""
    return moment.astimezone(LONDON).date()


def today() -> dt.date:
    """Today in London: the day boundary of every rule."""
    return day_of(now())


def start_of(day: dt.date) -> dt.datetime:
    """The moment, in UTC, at which a London day begins."""
    return dt.datetime.combine(day, dt.time(), LONDON).astimezone(dt.UTC)


def london_time(day: dt.date, hour: int = 9, minute: int = 0) -> dt.datetime:
    """The moment, in UTC, of a time of day in London."""
    return dt.datetime.combine(day, dt.time(hour, minute), LONDON).astimezone(dt.UTC)
