"""The rules of `domain/progress.py` and `domain/off_the_job.py` as SQL, for sums over many aims.

`tests/domain/test_progress.py` compares the results of both.
"""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, and_, bindparam, case, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from db.models.aim import Aim, AimProgress
from db.sql.two_databases import written_as
from domain.enums import AimStatus, TrafficLight
from domain.progress import NEVER_LATE

TODAY = bindparam("today", type_=Date)
# The provider's settings, in tenths of a percent.
TOLERANCE = bindparam("tolerance", type_=Integer)
RATED_FROM = bindparam("rated_from", type_=Integer)


class days_between(GenericFunction[int]):
    """The number of days from the first date to the second."""

    name = "days_between"
    type = Integer()
    inherit_cache = True


# The first and the last day of Python's calendar are stored as infinite ones, which cannot be subtracted.
_FINITE = "LEAST(GREATEST(CAST({} AS DATE), DATE '0001-01-02'), DATE '9999-12-30')"
written_as(
    days_between,
    postgresql=f"({_FINITE.format('{1}')} - {_FINITE.format('{0}')})",
    sqlite="CAST(julianday({1}) - julianday({0}) AS INTEGER)",
)


class quotient(GenericFunction[int]):
    """Integer division, truncated."""

    name = "quotient"
    type = BigInteger()
    inherit_cache = True


@compiles(quotient)
def _quotient(element: quotient, compiler: Any, **options: Any) -> str:
    # Both databases truncate the quotient of integers; SQLAlchemy's `/` would return a fraction.
    part, whole = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(({part}) / ({whole}))"


def parameters(today: dt.date, tolerance: float, rated_from: float) -> dict[str, Any]:
    """Returns the parameters of these expressions; `tolerance` and `rated_from` are in percentage points."""
    return {"today": today, "tolerance": round(tolerance * 10), "rated_from": round(rated_from * 10)}


def days_counted(first: Any, last: Any) -> ColumnElement[int]:
    """The number of days from the first to the last, both included."""
    return days_between(first, last) + 1


def share(part: Any, whole: Any, of: Any) -> ColumnElement[int]:
    """The share `part` of `whole`, as a part of `of`: `domain.progress.share`."""
    rounded = quotient(literal(2, BigInteger) * of * part + whole, 2 * whole)
    return case(
        (or_(whole <= 0, part <= 0), 0),
        (part >= whole, of),
        (of <= 1, 0),
        (rounded < 1, 1),
        (rounded >= of, of - 1),
        else_=rounded,
    )


def tenths(part: Any, whole: Any) -> ColumnElement[int]:
    """`part` of `whole` in tenths of a percent, 0 to 1000: `domain.progress.tenths`."""
    return share(part, whole, literal(1000, BigInteger))


def _until(planned_end: Any) -> ColumnElement[dt.date]:
    """Today, or the planned end if that is earlier."""
    return case((planned_end > TODAY, TODAY), else_=planned_end)


def days_on_break(aim: Any = Aim, sums: Any = AimProgress) -> ColumnElement[int]:
    """The days of breaks of one aim up to today or the planned end: `domain.progress.days_on_break`.

    `aim` has the dates, `sums` the stored days of breaks.
    """
    since = sums.break_since
    first = case((since > aim.start_date, since), else_=aim.start_date)
    open_break = days_counted(first, _until(aim.planned_end_date))
    of_open_break = case((and_(since.is_not(None), open_break > 0), open_break), else_=0)
    days: ColumnElement[int] = sums.days_on_break + of_open_break
    return days


def days_elapsed(start: Any, planned_end: Any) -> ColumnElement[int]:
    """The planned days up to today, those of breaks included."""
    return days_counted(start, _until(planned_end))


def programme_tenths(start: Any, planned_end: Any, on_break: Any) -> ColumnElement[int]:
    """The elapsed share of the planned days in tenths of a percent: `domain.progress.duration_tenths`."""
    return tenths(days_elapsed(start, planned_end) - on_break, days_counted(start, planned_end) - on_break)


def duration_tenths() -> ColumnElement[int]:
    """The elapsed share of an aim's planned days in tenths of a percent, without the days of breaks."""
    return programme_tenths(Aim.start_date, Aim.planned_end_date, days_on_break())


def mapped_tenths(
    mapped: Any = AimProgress.criteria_mapped,
    total: Any = AimProgress.criteria_total,
    units_to_choose: Any = AimProgress.units_to_choose,
) -> ColumnElement[int]:
    """The share of criteria with mapped evidence in tenths of a percent: `domain.progress.reached_tenths`."""
    return case((and_(units_to_choose > 0, mapped >= total, total > 0), 999), else_=tenths(mapped, total))


def past_planned_end() -> ColumnElement[bool]:
    """The condition that an aim is past its planned end, has not ended and is not suspended."""
    return and_(Aim.planned_end_date < TODAY, Aim.status.not_in(NEVER_LATE))


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
    elapsed = days_elapsed(Aim.start_date, Aim.planned_end_date) - days_on_break()
    return share(elapsed, days_counted(Aim.start_date, Aim.planned_end_date) - days_on_break(), required)


def total(value: Any) -> ColumnElement[int]:
    """The sum of a column; 0 if there are no rows."""
    return func.coalesce(func.sum(value), 0)


def count_if(condition: Any) -> ColumnElement[int]:
    """The number of rows that meet a condition."""
    return total(case((condition, 1), else_=0))
