"""The rules behind the numbers (docs/behaviours.md): percentages, time elapsed, the traffic light. No database.

Shares are counted in tenths of a percent by integers, half up, so that Python, SQLite and PostgreSQL (`db/sql/progress.py`)
come to the same number at every boundary. Days are days in London.
"""

import datetime as dt
from functools import lru_cache

from domain.enums import AimStatus, CriterionStatus, TrafficLight

# No longer learning: nothing can be late any more.
ENDED = (AimStatus.COMPLETED, AimStatus.WITHDRAWN)


@lru_cache(maxsize=20_000)
def tenths(part: int, whole: int) -> int:
    """`part` of `whole` in tenths of a percent, 0 to 1000, half up; 0 where there is no whole."""
    if whole <= 0:
        return 0
    return min(max((2000 * part + whole) // (2 * whole), 0), 1000)


def percent(part: int, whole: int) -> float:
    """`part` of `whole` from 0 to 100, exact to one decimal; 0 where there is no whole."""
    return tenths(part, whole) / 10


def days_counted(first: dt.date, last: dt.date) -> int:
    """Days from the first to the last, both counted."""
    return (last - first).days + 1


def duration_tenths(start: dt.date, planned_end: dt.date, today: dt.date) -> int:
    """The blue bar [000]: days from start to today over days from start to planned end, in tenths of a percent."""
    before = start.toordinal() - 1
    return tenths(today.toordinal() - before, planned_end.toordinal() - before)


def is_past_planned_end(status: AimStatus, planned_end: dt.date, today: dt.date) -> bool:
    """The bar turns red [001]: from the day after the planned end, while there is still something to finish."""
    return today > planned_end and status not in ENDED


def traffic_light(
    *, in_training: bool, criteria_total: int, mapped: int, duration: int, tolerance: float, rated_from: float
) -> TrafficLight:
    """Red, amber or green [000], from `mapped` and `duration` in tenths of a percent and the provider's settings in points.

    Mapped less duration at or below minus the tolerance is OFF_TRACK, at or above it AHEAD, else ON_TRACK; NOT_RATED
    unless in training, with at least one criterion and at least `rated_from` percent of the time gone.
    """
    if not in_training or criteria_total == 0 or duration < rated_from * 10:
        return TrafficLight.NOT_RATED
    if mapped - duration <= -tolerance * 10:
        return TrafficLight.OFF_TRACK
    return TrafficLight.AHEAD if mapped - duration >= tolerance * 10 else TrafficLight.ON_TRACK


def criterion_status(evidence_count: int, signed_off: bool) -> CriterionStatus:
    """Red, orange or green on the progress map [001]."""
    if signed_off:
        return CriterionStatus.SIGNED_OFF
    return CriterionStatus.IN_PROGRESS if evidence_count else CriterionStatus.NOT_STARTED


def expected_minutes(required: int, start: dt.date, planned_end: dt.date, today: dt.date) -> int:
    """Off-the-job minutes of one aim that should be there by now: required times time elapsed, clamped, half up."""
    whole = days_counted(start, planned_end)
    gone = min(max(days_counted(start, today), 0), whole)
    return (2 * required * gone + whole) // (2 * whole) if whole > 0 else 0
