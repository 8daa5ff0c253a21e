"""The rules of `domain/progress.py` as SQL, for counting over many aims at once; a test holds the two together."""

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


class _Days(GenericFunction[int]):
    """Whole days from the first date to the second."""

    name = "days_between"
    type = Integer()
    inherit_cache = True


@compiles(_Days, "postgresql")
def _postgresql(element: _Days, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({last} AS DATE) - CAST({first} AS DATE))"


@compiles(_Days, "sqlite")
def _sqlite(element: _Days, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


class _Quotient(GenericFunction[int]):
    """A whole number divided by another, what is left over dropped."""

    name = "quotient"
    type = BigInteger()
    inherit_cache = True


@compiles(_Quotient)
def _quotient(element: _Quotient, compiler: Any, **options: Any) -> str:
    # Both databases divide integers so; SQLAlchemy's own division would make it a fraction.
    part, whole = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(({part}) / ({whole}))"


def parameters(today: dt.date, tolerance: float, rated_from: float) -> dict[str, Any]:
    """What the expressions here need when they run; tolerance and rated_from in percentage points."""
    return {"today": today, "tolerance": round(tolerance * 10), "rated_from": round(rated_from * 10)}


def days_counted(first: Any, last: Any) -> ColumnElement[int]:
    """Days from the first to the last, both counted."""
    return _Days(first, last) + 1


def tenths(part: Any, whole: Any) -> ColumnElement[int]:
    """`part` of `whole` in tenths of a percent, 0 to 1000, half up; 0 where there is no whole."""
    share = _Quotient(literal(2000, BigInteger) * part + whole, 2 * whole)
    return case((or_(whole <= 0, part <= 0), 0), (part >= whole, 1000), else_=share)


def duration_tenths(start: Any = Aim.start_date, planned_end: Any = Aim.planned_end_date) -> ColumnElement[int]:
    """Time elapsed in tenths of a percent."""
    return tenths(days_counted(start, TODAY), days_counted(start, planned_end))


def mapped_tenths(
    mapped: Any = AimProgress.criteria_mapped, total: Any = AimProgress.criteria_total
) -> ColumnElement[int]:
    """Criteria with evidence mapped, in tenths of a percent."""
    return tenths(mapped, total)


def past_planned_end() -> ColumnElement[bool]:
    """That an aim is past its planned end with something still to finish."""
    return and_(Aim.planned_end_date < TODAY, Aim.status.not_in(ENDED))


def light_is(
    light: TrafficLight, *, in_training: ColumnElement[bool], total: Any, mapped: Any, duration: Any
) -> ColumnElement[bool]:
    """That the traffic light is this one; `mapped` and `duration` in tenths of a percent."""
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


def aim_light_is(light: TrafficLight) -> ColumnElement[bool]:
    """That an aim's traffic light is this one."""
    return light_is(
        light,
        in_training=Aim.status == AimStatus.IN_TRAINING,
        total=AimProgress.criteria_total,
        mapped=mapped_tenths(),
        duration=duration_tenths(),
    )


def expected_minutes(required: Any) -> ColumnElement[int]:
    """Off-the-job minutes of one aim that should be there by now; `required` in minutes."""
    whole = days_counted(Aim.start_date, Aim.planned_end_date)
    counted = days_counted(Aim.start_date, TODAY)
    gone = case((counted < 0, 0), (counted > whole, whole), else_=counted)
    share = _Quotient(literal(2, BigInteger) * required * gone + whole, 2 * whole)
    return case((whole > 0, share), else_=0)


def total(value: Any) -> ColumnElement[int]:
    """A sum that is 0 over nothing."""
    return func.coalesce(func.sum(value), 0)
