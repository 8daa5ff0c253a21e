"""The rules of `domain/breaks.py` as SQL. `tests/domain/test_breaks.py` compares the results of both."""

from typing import Any

from sqlalchemy import Date, Select, Subquery, and_, case, func, literal, select

from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.sql.day_number import day_number
from db.sql.progress import TODAY
from domain.day_number import NO_DAY


def days_of_programmes(aims: Select[Any]) -> Subquery:
    """Returns a subquery of (learner_id, days): `domain.breaks.days_of_programme` of each learner who has breaks.

    `aims` selects `Aim.id` of the aims of the programmes. The days run from the earliest start to today, or to the
    latest planned end if that is earlier.
    """
    included = Aim.id.in_(aims)
    # unscoped: the aims that the caller selects
    runs = (
        select(
            Aim.id,
            Aim.learner_id,
            day_number(Aim.start_date).label("first"),
            day_number(func.coalesce(Aim.actual_end_date, literal(NO_DAY, Date))).label("last"),
        )
        .where(included, Aim.learner_id.in_(select(AimBreak.learner_id)))
        .cte()
    )
    begins = day_number(AimBreak.start_date)
    until = case((AimBreak.returned_on.is_(None), day_number(TODAY)), else_=day_number(AimBreak.returned_on) - 1)
    # unscoped: the aims that the caller selects, on the days on which they run
    away = (
        select(
            runs.c.learner_id,
            case((begins > runs.c.first, begins), else_=runs.c.first).label("first"),
            case((until < runs.c.last, until), else_=runs.c.last).label("last"),
        )
        .join(runs, runs.c.id == AimBreak.aim_id)
        .cte()
    )
    # unscoped: the aims that the caller selects
    points = (
        select(runs.c.learner_id, runs.c.first.label("day"))
        .union(
            select(runs.c.learner_id, (runs.c.last + 1).label("day")),
            select(away.c.learner_id, away.c.first.label("day")),
            select(away.c.learner_id, (away.c.last + 1).label("day")),
        )
        .cte()
    )
    following = func.lead(points.c.day).over(partition_by=points.c.learner_id, order_by=points.c.day)
    segments = select(points.c.learner_id, points.c.day, following.label("next_day")).cte()

    def count(periods: Any) -> Any:
        of_segment = and_(
            periods.c.learner_id == segments.c.learner_id,
            periods.c.first <= segments.c.day,
            periods.c.last >= segments.c.day,
        )
        return select(func.count()).select_from(periods).where(of_segment).correlate(segments).scalar_subquery()

    # unscoped: the aims that the caller selects
    ends = (
        select(
            Aim.learner_id,
            case(
                (func.max(Aim.planned_end_date) > TODAY, day_number(TODAY)),
                else_=day_number(func.max(Aim.planned_end_date)),
            ).label("last"),
        )
        .where(included)
        .group_by(Aim.learner_id)
        .cte()
    )
    stop = case((segments.c.next_day <= ends.c.last, segments.c.next_day), else_=ends.c.last + 1)
    on_break = count(away)
    return (
        select(segments.c.learner_id, func.sum(stop - segments.c.day).label("days"))
        .join(ends, ends.c.learner_id == segments.c.learner_id)
        .where(segments.c.next_day.is_not(None), segments.c.day <= ends.c.last, on_break > 0, on_break == count(runs))
        .group_by(segments.c.learner_id)
        .subquery()
    )
