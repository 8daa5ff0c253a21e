"""The numbers of `domain/day_number.py` as SQL, the day of a moment in London, and the number of a day's month."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, cast, literal
from sqlalchemy.sql.functions import GenericFunction

from db.models.base import UtcDateTime
from db.sql.progress import days_between, quotient
from db.sql.two_databases import written_as
from domain.day_number import FIRST_DAY

_FIRST_DAY = literal(FIRST_DAY, Date)
# 1 March 2000, from 1 January: years that begin in March end with their leap day.
_MARCH = 60
_FOUR_YEARS = 1461


class LondonDay(GenericFunction[dt.date]):
    """The day of a moment in London."""

    name = "london_day"
    type = Date()
    inherit_cache = True


# Summer time begins and ends at 1:00 UTC on the last Sunday of March and of October.
_SUMMER = (
    "datetime({0}) >= datetime(strftime('%Y', {0}) || '-03-25', 'weekday 0', '+1 hour') AND "
    "datetime({0}) < datetime(strftime('%Y', {0}) || '-10-25', 'weekday 0', '+1 hour')"
)
written_as(
    LondonDay,
    postgresql="CAST({0} AT TIME ZONE 'Europe/London' AS DATE)",
    sqlite=f"date({{0}}, CASE WHEN {_SUMMER} THEN '+1 hour' ELSE '+0 hours' END)",
)


def day_number(day: Any) -> ColumnElement[int]:
    """The number of a date, or of the day of a moment in London."""
    return days_between(_FIRST_DAY, LondonDay(day) if isinstance(day.type, UtcDateTime) else day)


def month_number(day: Any) -> ColumnElement[int]:
    """The number of months from March 2000 to that of a day's number (`domain.day_number`), until February 2100.

    Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`, within one century.
    """
    days = cast(day, Integer) - _MARCH
    year = quotient(4 * days + 3, _FOUR_YEARS)
    return 12 * year + quotient(5 * (days - quotient(_FOUR_YEARS * year, 4)) + 2, 153)
