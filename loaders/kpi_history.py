"""The history of key performance indicators: their values at the end of each day, week or month in London."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from domain.day_number import day_number
from domain.enums import Interval
from loaders.core.read_session import ReadSession
from loaders.kpi_ranges import aim_ranges, learner_ranges, minutes_of_intervals
from loaders.kpi_slice import Shapes, shapes_of

_DAY = dt.timedelta(days=1)
_COUNTS = (
    "learner_count", "aim_count", "off_track_count", "on_track_count", "ahead_count", "not_rated_count",
    "past_planned_end_count", "started_count", "completed_count", "withdrawn_count", "criteria_total",
    "criteria_mapped", "criteria_signed_off", "off_the_job_minutes",
)  # fmt: skip


@dataclass(slots=True)
class KpiPointRow:
    """The numbers at the end of a day; started, completed, withdrawn and minutes are of the interval up to it."""

    day: dt.date
    learner_count: int
    aim_count: int
    off_track_count: int
    on_track_count: int
    ahead_count: int
    not_rated_count: int
    past_planned_end_count: int
    started_count: int
    completed_count: int
    withdrawn_count: int
    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    off_the_job_minutes: int


def points_of(first: dt.date, last: dt.date, every: Interval) -> list[dt.date]:
    """Returns the last day of each interval that ends from the first day to before the last one, and that last day."""
    days = (first + number * _DAY for number in range((last - first).days))
    return [day for day in days if _ends(day, every)] + [last]


def _ends(day: dt.date, every: Interval) -> bool:
    return every is Interval.DAY or (day.isoweekday() == 7 if every is Interval.WEEK else (day + _DAY).day == 1)


class _Series:
    """One number at each point, from the ranges in which it is more or less."""

    def __init__(self, count: int) -> None:
        self._changes = [0] * (count + 1)

    def add(self, low: int, high: int, number: int) -> None:
        """Adds a number to the points from `low` to before `high`."""
        self._changes[low] += number
        self._changes[high] -= number

    def add_at(self, point: int, number: int) -> None:
        """Adds a number to one point, unless it is -1."""
        if point >= 0:
            self.add(point, point + 1, number)

    def numbers(self) -> list[int]:
        """Returns the number at each point."""
        return list(accumulate(self._changes[:-1]))


async def kpi_history(
    reading: ReadSession, first: dt.date, last: dt.date, every: Interval, filter: Mapping[str, Any]
) -> list[KpiPointRow]:
    """Returns the points of a period, whose last day is not in the future, in at most four statements."""
    points = points_of(first, last, every)
    shapes, values = shapes_of(filter, reading)
    role, count = reading.viewer.role, len(points)
    bound: dict[str, Any] = {
        "first": day_number(first),
        "begin": min(_first_end(first, every), day_number(last)),
        "last": day_number(last),
        "count": count,
        **dict(values),
    }
    series = {name: _Series(count) for name in _COUNTS}
    # At once, because the database takes most of the time for the first two.
    aims, spans, minutes = await asyncio.gather(
        reading.rows(aim_ranges(role, every, shapes), **bound),
        _learner_spans(reading, every, shapes, bound),
        reading.rows(minutes_of_intervals(role, every, shapes), **bound),
    )
    for row in aims:
        _add_aims(series, row)
    for row in spans:
        series["learner_count"].add(row.low, row.high, row.learners)
    for row in minutes:
        series["off_the_job_minutes"].add_at(row.point, int(row.minutes))
    numbers = [series[name].numbers() for name in _COUNTS]
    return [KpiPointRow(*point) for point in zip(points, *numbers, strict=True)]


async def _learner_spans(
    reading: ReadSession, every: Interval, shapes: Shapes, bound: Mapping[str, Any]
) -> Sequence[Any]:
    """Returns how many learners count in which ranges of points."""
    role = reading.viewer.role
    spans = await reading.rows(learner_ranges(role, every, shapes, exact=False), **bound)
    if any(row.gaps for row in spans):
        spans = await reading.rows(learner_ranges(role, every, shapes, exact=True), **bound)
    return spans


def _first_end(first: dt.date, every: Interval) -> int:
    """Returns the number of the day on which the first interval ends."""
    day = first
    while not _ends(day, every):
        day += _DAY
    return day_number(day)


def _add_aims(series: dict[str, _Series], row: Any) -> None:
    aims = int(row.aims)
    series["withdrawn_count"].add_at(row.withdrawn_on, aims)
    if row.withdrawn:
        return
    low, high = row.low, row.high
    rated = row.rated_from
    off_track = max(row.off_track_from, rated)
    on_track = min(max(row.on_track_from, rated), off_track)
    series["aim_count"].add(low, high, aims)
    series["not_rated_count"].add(low, rated, aims)
    series["ahead_count"].add(rated, on_track, aims)
    series["on_track_count"].add(on_track, off_track, aims)
    series["off_track_count"].add(off_track, high, aims)
    series["past_planned_end_count"].add(row.late_from, high, aims)
    series["started_count"].add_at(row.started_on, aims)
    series["completed_count"].add_at(row.completed_on, aims)
    for name in ("criteria_total", "criteria_mapped", "criteria_signed_off"):
        series[name].add(low, high, int(getattr(row, name)))
