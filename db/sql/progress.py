"""The rules of `domain/progress.py` and `domain/off_the_job.py` as SQL, for sums over many aims.

`tests/domain/test_progress.py` compares the results of both.
"""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, and_, bindparam, case, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from db.models.aim import Aim, AimProgress
from domain.enums import AimStatus, TrafficLight
from domain.progress import ENDED

TODAY = bindparam("today", type_=Date)
# The provider's settings, in tenths of a percent.
TOLERANCE = bindparam("tolerance", type_=Integer)
RATED_FROM = bindparam("rated_from", type_=Integer)


class _DaysBetween(GenericFunction[int]):
    """The number of days from the first date to the second."""

    name = "days_between"
    type = Integer()
    inherit_cache = True


@compiles(_DaysBetween, "postgresql")
def _postgresql(element: _DaysBetween, compiler: Any, **options: Any) -> str:
    first, last = (_finite(compiler.process(clause, **options)) for clause in element.clauses)
    return f"({last} - {first})"


def _finite(date: str) -> str:
    # The first and the last day of Python's calendar are stored as infinite ones, which cannot be subtracted.
    return f"LEAST(GREATEST(CAST({date} AS DATE), DATE '0001-01-02'), DATE '9999-12-30')"


@compiles(_DaysBetween, "sqlite")
def _sqlite(element: _DaysBetween, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


class _Quotient(GenericFunction[int]):
    """Integer division, truncated."""

    name = "quotient"
    type = BigInteger()
    inherit_cache = True


@compiles(_Quotient)
def _quotient(element: _Quotient, compiler: Any, **options: Any) -> str:
    # Both databases truncate the quotient of integers; SQLAlchemy's `/` would return a fraction.
    part, whole = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(({part}) / ({whole}))"


def parameters(today: dt.date, tolerance: float, rated_from: float) -> dict[str, Any]:
    """Returns the parameters of these expressions; `tolerance` and `rated_from` are in percentage points."""
    return {"today": today, "tolerance": round(tolerance * 10), "rated_from": round(rated_from * 10)}


def days_counted(first: Any, last: Any) -> ColumnElement[int]:
    """The number of days from the first to the last, both included."""
    return _DaysBetween(first, last) + 1


def tenths(part: Any, whole: Any) -> ColumnElement[int]:
    """`part` of `whole` in tenths of a percent, 0 to 1000, rounded half up; 0 if `whole` is not positive."""
    share = _Quotient(literal(2000, BigInteger) * part + whole, 2 * whole)
    return case((or_(whole <= 0, part <= 0), 0), (part >= whole, 1000), else_=share)


def duration_tenths(start: Any = Aim.start_date, planned_end: Any = Aim.planned_end_date) -> ColumnElement[int]:
    """The elapsed share of the planned days in tenths of a percent."""
    return tenths(days_counted(start, TODAY), days_counted(start, planned_end))


def mapped_tenths(
    mapped: Any = AimProgress.criteria_mapped, total: Any = AimProgress.criteria_total
) -> ColumnElement[int]:
    """The share of criteria with mapped evidence in tenths of a percent."""
    return tenths(mapped, total)


def past_planned_end() -> ColumnElement[bool]:
    """The condition that an aim is past its planned end and has not ended."""
    return and_(Aim.planned_end_date < TODAY, Aim.status.not_in(ENDED))


def traffic_light_is(
    light: TrafficLight, *, in_training: ColumnElement[bool], total: Any, mapped: Any, duration: Any
) -> ColumnElement[bool]:
    """The condition that the traffic light is `light`; `mapped` and `duration` are in tenths of a percent."""
    rated = and_(in_training, total > 0, duration >= RATED_FROM)
    match light:
        case TrafficLight.NOT_RATED:
            return ~rated
        case TrafficLight.OFF_TRACK:
            return and_(rated, mapped - duration <= -TOLERANCE)
        case TrafficLight.AHEAD:
            return and_(rated, mapped - duration >= TOLERANCE, mapped - duration > -TOLERANCE)
        case _:
            return and_(rated, mapped - duration > -TOLERANCE, mapped - duration < TOLERANCE)


def aim_traffic_light_is(light: TrafficLight) -> ColumnElement[bool]:
    """The condition that an aim's traffic light is `light`."""
    return traffic_light_is(
        light,
        in_training=Aim.status == AimStatus.IN_TRAINING,
        total=AimProgress.criteria_total,
        mapped=mapped_tenths(),
        duration=duration_tenths(),
    )


def expected_minutes(required: Any) -> ColumnElement[int]:
    """The off-the-job minutes of an aim that are expected by today; `required` is in minutes."""
    planned = days_counted(Aim.start_date, Aim.planned_end_date)
    since_start = days_counted(Aim.start_date, TODAY)
    elapsed = case((since_start < 0, 0), (since_start > planned, planned), else_=since_start)
    share = _Quotient(literal(2, BigInteger) * required * elapsed + planned, 2 * planned)
    return case((planned > 0, share), else_=0)


def total(value: Any) -> ColumnElement[int]:
    """The sum of a column; 0 if there are no rows."""
    return func.coalesce(func.sum(value), 0)
