"""Statements over the history of aims: how many rows, learners and minutes there are in which range of points.

A row of `aim_history` holds for an interval of days, and the days on which its light changes are stored with it. So a
row counts in a range of points, from the first point in its interval to the last. Statements return how many rows cover
which range; nothing is read point by point.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.aim_history import AimHistory, TimeHistory
from db.models.learner import Learner
from db.sql.aim_history import next_row_day
from db.sql.computed_once import computed_once
from db.sql.day_number import month_number
from db.sql.progress import quotient
from domain.day_number import NO_DAY_NUMBER
from domain.enums import AimStatus, Interval, Role
from domain.progress import ENDED
from loaders.kpi_slice import NOW, Dimensions, Shapes

PAST = Dimensions(
    AimHistory.employer_id, AimHistory.assessor_id, AimHistory.qualification_id, AimHistory.status,
    AimHistory.start_date,
)  # fmt: skip
# The numbers of the first day, of the first and the last point, and how many points there are.
_FIRST, _BEGIN = bindparam("first", type_=Integer), bindparam("begin", type_=Integer)
_LAST, _COUNT = bindparam("last", type_=Integer), bindparam("count", type_=Integer)
_LIGHT_DAYS = ("rated_from", "on_track_from", "off_track_from", "late_from")
_EVENTS = ("started_on", "completed_on", "withdrawn_on")
_SUMS = ("criteria_total", "criteria_mapped", "criteria_signed_off")


def until() -> ColumnElement[int]:
    """The day on which another row of the aim followed; `NO_DAY_NUMBER` where the row still holds."""
    return func.coalesce(AimHistory.until, next_row_day(), NO_DAY_NUMBER)


def _point(day: Any, every: Interval) -> ColumnElement[int]:
    """The position of the first point on a day or later, from 0; the number of points if there is none."""
    match every:
        case Interval.DAY:
            position = day - _BEGIN
        case Interval.WEEK:
            position = quotient(day - _BEGIN + 6, 7)
        case Interval.MONTH:
            position = month_number(day) - month_number(_BEGIN)
    return case((day > _LAST, _COUNT), (day <= _BEGIN, 0), else_=position)


def _rows(role: Role, shapes: Shapes, *columns: Any) -> Select[Any]:
    """Selects columns of the rows of visible aims that may hold on one of the points."""
    return (
        select(*columns)
        .select_from(AimHistory)
        .join(Aim, Aim.id == AimHistory.aim_id)
        .where(
            scope.sees_aim(role),
            scope.of_provider(AimHistory),
            AimHistory.day <= _LAST,
            func.coalesce(AimHistory.until, NO_DAY_NUMBER) > _BEGIN,
            *PAST.conditions(role, shapes),
        )
    )


@cached_statement
def aim_ranges(role: Role, every: Interval, shapes: Shapes) -> Select[Any]:
    """Selects how many rows cover the points from `low` to before `high`, and the positions at which they change.

    `started_on`, `completed_on` and `withdrawn_on` are the position of the interval in which that was recorded, -1 for
    none that the row speaks of.
    """
    days = (*_LIGHT_DAYS, *_EVENTS)
    rows = _covering(role, every, shapes, AimHistory.status, *(getattr(AimHistory, name) for name in (*days, *_SUMS)))
    low, high = rows.c.low, rows.c.high

    def within(day: Any) -> ColumnElement[int]:
        # Most rows begin or end before the day: those need no arithmetic.
        return case((or_(day.is_(None), day >= rows.c.end), high), (day <= rows.c.day, low), else_=_point(day, every))

    def event(day: Any) -> ColumnElement[int]:
        position = _point(day, every)
        return case(
            (or_(day.is_(None), day < _FIRST), -1), (and_(position >= low, position < high), position), else_=-1
        )

    # unscoped: of the scoped rows above
    ranges = computed_once(
        select(
            low,
            high,
            case((rows.c.status == AimStatus.WITHDRAWN, 1), else_=0).label("withdrawn"),
            *(within(rows.c[name]).label(name) for name in _LIGHT_DAYS),
            *(event(rows.c[name]).label(name) for name in _EVENTS),
            *(rows.c[name] for name in _SUMS),
        )
    )
    keys = [ranges.c[name] for name in ("low", "high", "withdrawn", *days)]
    sums = [func.sum(cast(ranges.c[name], BigInteger)).label(name) for name in _SUMS]
    # unscoped: of the scoped rows above
    return select(*keys, func.count().label("aims"), *sums).group_by(*keys)


def _covering(role: Role, every: Interval, shapes: Shapes, *columns: Any) -> Subquery:
    """The rows that cover a point: `low` to before `high`, with their first `day`, their `end`, and columns."""
    days = computed_once(_rows(role, shapes, AimHistory.day, until().label("end"), *columns))
    low, high = _point(days.c.day, every).label("low"), _point(days.c.end, every).label("high")
    # unscoped: of the scoped rows above
    positions = computed_once(select(*days.c, low, high))
    # unscoped: of the scoped rows above
    return select(positions).where(positions.c.low < positions.c.high).subquery()


@cached_statement
def learner_ranges(role: Role, every: Interval, shapes: Shapes, exact: bool) -> Select[Any]:
    """Selects how many learners are in learning in which range of points.

    Not `exact`, which is faster: an aim that was open again after its end counts as open in between, and `gaps` is 1
    where there is one.
    """
    rows = _covering(role, every, shapes, AimHistory.learner_id, AimHistory.aim_id, AimHistory.status)
    low, high, open_ = rows.c.low, rows.c.high, rows.c.status.not_in(ENDED)
    if exact:
        # unscoped: of the scoped rows above
        spans = select(rows.c.learner_id, low, high, literal(0).label("gaps")).where(open_)
    else:
        first, last = func.min(low), func.max(high)
        gaps = case((func.sum(high - low) < last - first, 1), else_=0)
        # unscoped: of the scoped rows above
        spans = (
            select(rows.c.learner_id, first.label("low"), last.label("high"), gaps.label("gaps"))
            .where(open_)
            .group_by(rows.c.learner_id, rows.c.aim_id)
        )
    if counts_without_aim(shapes):
        others = learners_without_aim(role, shapes)
        begin, end = _point(others.c.enrolled, every), _point(others.c.first_aim, every)
        # unscoped: of the scoped learners
        spans = spans.union_all(select(others.c.learner_id, begin, end, literal(0)))  # type: ignore[assignment]  # compound
    of_learner = spans.subquery()
    reached = func.max(of_learner.c.high).over(
        partition_by=of_learner.c.learner_id, order_by=(of_learner.c.low, of_learner.c.high), rows=(None, -1)
    )
    # unscoped: of the scoped rows above
    ordered = select(of_learner.c.low, of_learner.c.high, of_learner.c.gaps, func.coalesce(reached, 0).label("reached"))
    spans_ = ordered.subquery()
    begin = case((spans_.c.reached > spans_.c.low, spans_.c.reached), else_=spans_.c.low)
    # unscoped: of the scoped rows above
    merged = select(begin.label("low"), spans_.c.high, spans_.c.gaps).subquery()
    # unscoped: of the scoped rows above
    return (
        select(merged.c.low, merged.c.high, func.count().label("learners"), func.max(merged.c.gaps).label("gaps"))
        .where(merged.c.low < merged.c.high)
        .group_by(merged.c.low, merged.c.high)
    )


def learners_without_aim(role: Role, shapes: Shapes) -> Subquery:
    """Returns the learners who had no aim from the day `enrolled` to before `first_aim`, with their employer of now."""
    # unscoped: facts about the scoped learner
    enrolled = select(func.min(TimeHistory.day)).where(TimeHistory.learner_id == Learner.id).correlate(Learner)
    # unscoped: facts about the scoped learner
    first_aim = select(func.min(AimHistory.day)).where(AimHistory.learner_id == Learner.id).correlate(Learner)
    learners = (
        select(
            Learner.id.label("learner_id"),
            func.coalesce(Learner.employer_id, 0).label("employer_id"),
            func.coalesce(enrolled.scalar_subquery(), NO_DAY_NUMBER).label("enrolled"),
            func.coalesce(first_aim.scalar_subquery(), NO_DAY_NUMBER).label("first_aim"),
        )
        .where(scope.sees_learner(role, Learner.id), scope.of_provider(Learner), *NOW.conditions(role, shapes))
        .subquery()
    )
    # unscoped: of the scoped learners above
    return select(learners).where(learners.c.enrolled < learners.c.first_aim).subquery()


def counts_without_aim(shapes: Shapes) -> bool:
    """Returns whether learners without an aim meet the filters that are given: those that are about no aim."""
    return {name for name, _ in shapes} <= {"employer_id"}


@cached_statement
def minutes_of_intervals(role: Role, every: Interval, shapes: Shapes) -> Select[Any]:
    """Selects the off-the-job minutes that came to count in the interval of each point, by its position.

    With a filter, those of aims that met it on that day; without an aim, those of learners who are at the employer now.
    """
    aim_id = func.nullif(TimeHistory.aim_id, 0)
    statement = (
        select(_point(TimeHistory.day, every).label("point"), TimeHistory.minutes)
        .select_from(TimeHistory)
        .where(
            scope.sees_record(role, TimeHistory.learner_id, aim_id),
            scope.of_provider(TimeHistory),
            TimeHistory.day.between(_FIRST, _LAST),
            TimeHistory.minutes != 0,
        )
    )
    if shapes:
        on_day = and_(
            AimHistory.aim_id == TimeHistory.aim_id, AimHistory.day <= TimeHistory.day, until() > TimeHistory.day
        )
        met: Any = and_(*PAST.conditions(role, shapes))
        if counts_without_aim(shapes):
            met = case((TimeHistory.aim_id == 0, and_(*NOW.conditions(role, shapes))), else_=met)
        statement = (
            statement.join(Learner, Learner.id == TimeHistory.learner_id).outerjoin(AimHistory, on_day).where(met)
        )
    entries = statement.subquery()
    # unscoped: of the scoped rows above
    return select(entries.c.point, func.sum(entries.c.minutes).label("minutes")).group_by(entries.c.point)
