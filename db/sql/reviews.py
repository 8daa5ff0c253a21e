"""The rule of `domain/reviews.py` as SQL: the day by which a learner's next formal review is due.

`tests/domain/test_reviews.py` compares the results of both. Days are numbers (`domain.day_number`).
"""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, and_, bindparam, case, func, or_
from sqlalchemy.sql.functions import GenericFunction

from db.models.base import UtcDateTime
from db.sql.day_number import LondonDay, day_number
from db.sql.two_databases import written_as
from domain.reviews import STANDARD_WEEKS

# The provider's settings.
_WEEKS = bindparam("review_weeks", type_=Integer)
_MONTHS = bindparam("review_months", type_=Integer)


def parameters(weeks: int, months: int) -> dict[str, int]:
    """Returns what `due_day` binds: the weeks and the months of the provider's rule."""
    return {"review_weeks": weeks, "review_months": months}


class _EndOfMonth(GenericFunction[dt.date]):
    """The last day of the month that comes so many months after that of a day."""

    name = "end_of_month"
    type = Date()
    inherit_cache = True


written_as(
    _EndOfMonth,
    postgresql="CAST(date_trunc('month', CAST({0} AS TIMESTAMP)) + "
    "make_interval(months => 1 + CAST({1} AS INTEGER)) - INTERVAL '1 day' AS DATE)",
    sqlite="date({0}, 'start of month', '+' || (1 + {1}) || ' months', '-1 day')",
)


class _MonthLater(GenericFunction[dt.date]):
    """The same day a month later, or the last day of a shorter month."""

    name = "month_later"
    type = Date()
    inherit_cache = True


written_as(
    _MonthLater,
    postgresql="CAST(CAST({0} AS TIMESTAMP) + INTERVAL '1 month' AS DATE)",
    # Of the day after a shorter month ends, SQLite makes one of the month after it.
    sqlite="min(date({0}, '+1 month'), date({0}, 'start of month', '+2 months', '-1 day'))",
)


def due_day(last: Any, weekly_since: Any, monthly_since: Any, returned_on: Any) -> ColumnElement[int]:
    """The number of the day by which the next review is due, NULL if no aim is in training.

    `last`: when the last review began, or its day. `weekly_since`, `monthly_since`: the earliest starts of aims in
    training, under each rule. `returned_on`: the return from a break of every aim in training.
    """
    last_day = LondonDay(last) if isinstance(last.type, UtcDateTime) else last
    week_base, month_base = func.coalesce(last_day, weekly_since), func.coalesce(last_day, monthly_since)
    by_weeks = case((weekly_since.is_not(None), day_number(week_base) + 7 * _WEEKS))
    at_month_end = case(
        (_WEEKS == STANDARD_WEEKS, day_number(_EndOfMonth(month_base, _MONTHS))),
        else_=day_number(month_base) + 7 * _WEEKS,
    )
    by_months = case((monthly_since.is_not(None), at_month_end))
    due = case(
        (by_weeks.is_(None), by_months),
        (by_months.is_(None), by_weeks),
        (by_months < by_weeks, by_months),
        else_=by_weeks,
    )
    after_return = day_number(_MonthLater(returned_on))
    since_return = and_(returned_on.is_not(None), or_(last.is_(None), last_day < returned_on))
    return case((and_(since_return, after_return > due), after_return), else_=due)
