"""The number of a day's month as SQL, in integers only, so that it is the same on both databases."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, cast

from db.sql.progress import quotient

# 1 March 2000, from 1 January: years that begin in March end with their leap day.
_MARCH = 60
_FOUR_YEARS = 1461


def month_number(day: Any) -> ColumnElement[int]:
    """The number of months from March 2000 to that of a day's number (`db.models.aim_history`), until February 2100.

    Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`, within one century.
    """
    days = cast(day, Integer) - _MARCH
    year = quotient(4 * days + 3, _FOUR_YEARS)
    return 12 * year + quotient(5 * (days - quotient(_FOUR_YEARS * year, 4)) + 2, 153)
