"""The rule of `domain/reviews.py` as SQL: the day by which a learner's next formal review is due.

`tests/domain/test_reviews.py` compares the results of both. Days are numbers of days since 2000-01-01.
"""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, and_, bindparam, case, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from db.models.base import UtcDateTime
from db.sql.progress import days_between
from domain.reviews import STANDARD_WEEKS

FIRST_DAY = dt.date(2000, 1, 1)
# The provider's settings.
_WEEKS = bindparam("review_weeks", type_=Integer)
_MONTHS = bindparam("review_months", type_=Integer)


def parameters(weeks: int, months: int) -> dict[str, int]:
    """Returns what `due_day` binds: the weeks and the months of the provider's rule."""
    return {"review_weeks": weeks, "review_months": months}


def day_number(day: Any) -> ColumnElement[int]:
    """The number of a date, or of the day of a moment."""
    return days_between(literal(FIRST_DAY, Date), LondonDay(day) if isinstance(day.type, UtcDateTime) else day)


class LondonDay(GenericFunction[dt.date]):
    """The day of a moment in London."""

    name = "london_day"
    type = Date()
    inherit_cache = True


@compiles(LondonDay, "postgresql")
def _day_postgresql(element: LondonDay, compiler: Any, **options: Any) -> str:
    [moment] = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST({moment} AT TIME ZONE 'Europe/London' AS DATE)"


@compiles(LondonDay, "sqlite")
def _day_sqlite(element: LondonDay, compiler: Any, **options: Any) -> str:
    [moment] = (compiler.process(clause, **options) for clause in element.clauses)
    # Summer time begins and ends at 1:00 UTC on the last Sunday of March and of October.
    year = f"strftime('%Y', {moment})"
    summer = (
        f"datetime({moment}) >= datetime({year} || '-03-25', 'weekday 0', '+1 hour') AND "
        f"datetime({moment}) < datetime({year} || '-10-25', 'weekday 0', '+1 hour')"
    )
    return f"date({moment}, CASE WHEN {summer} THEN '+1 hour' ELSE '+0 hours' END)"


class _EndOfMonth(GenericFunction[dt.date]):
    """The last day of the month that comes so many months after that of a day."""

    name = "end_of_month"
    type = Date()
    inherit_cache = True


@compiles(_EndOfMonth, "postgresql")
def _end_postgresql(element: _EndOfMonth, compiler: Any, **options: Any) -> str:
    day, months = (compiler.process(clause, **options) for clause in element.clauses)
    first = f"date_trunc('month', CAST({day} AS TIMESTAMP))"
    return f"CAST({first} + make_interval(months => 1 + CAST({months} AS INTEGER)) - INTERVAL '1 day' AS DATE)"


@compiles(_EndOfMonth, "sqlite")
def _end_sqlite(element: _EndOfMonth, compiler: Any, **options: Any) -> str:
    day, months = (compiler.process(clause, **options) for clause in element.clauses)
    return f"date({day}, 'start of month', '+' || (1 + {months}) || ' months', '-1 day')"


class _MonthLater(GenericFunction[dt.date]):
    """The same day a month later, or the last day of a shorter month."""

    name = "month_later"
    type = Date()
    inherit_cache = True


@compiles(_MonthLater, "postgresql")
def _later_postgresql(element: _MonthLater, compiler: Any, **options: Any) -> str:
    [day] = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(CAST({day} AS TIMESTAMP) + INTERVAL '1 month' AS DATE)"


@compiles(_MonthLater, "sqlite")
def _later_sqlite(element: _MonthLater, compiler: Any, **options: Any) -> str:
    [day] = (compiler.process(clause, **options) for clause in element.clauses)
    # Of the day after a shorter month ends, SQLite makes one of the month after it.
    return f"min(date({day}, '+1 month'), date({day}, 'start of month', '+2 months', '-1 day'))"


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
