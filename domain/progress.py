"""Progress rules (docs/behaviours.md): percentages, time elapsed and the traffic light.

Shares are integers in tenths of a percent, rounded half up, so that Python and both databases (`db/sql/progress.py`)
agree at every boundary. Days are days in London.
"""

import datetime as dt
from functools import lru_cache

from domain.enums import AimStatus, CriterionStatus, TrafficLight

# Statuses of an aim that is no longer in learning: nothing about it can be late.
ENDED = (AimStatus.COMPLETED, AimStatus.WITHDRAWN)


@lru_cache(maxsize=20_000)
def tenths(part: int, whole: int) -> int:
    """Returns `part` of `whole` in tenths of a percent, 0 to 1000, rounded half up; 0 if `whole` is not positive."""
    if whole <= 0:
        return 0
    return min(max((2000 * part + whole) // (2 * whole), 0), 1000)


def percent(part: int, whole: int) -> float:
    """Returns `part` of `whole` in percent, 0 to 100, rounded to one decimal; 0 if `whole` is not positive."""
    return tenths(part, whole) / 10


def days_counted(first: dt.date, last: dt.date) -> int:
    """Returns the number of days from the first to the last, both included."""
    return (last - first).days + 1


def duration_tenths(start: dt.date, planned_end: dt.date, today: dt.date) -> int:
    """Returns the elapsed share of the planned days in tenths of a percent: the blue bar of the employer guide."""
    before = start.toordinal() - 1
    return tenths(today.toordinal() - before, planned_end.toordinal() - before)


def is_past_planned_end(status: AimStatus, planned_end: dt.date, today: dt.date) -> bool:
    """Returns whether the aim is overdue: from the day after the planned end, unless it has ended.

    The learner guide shows the bar in red then.
    """
    return today > planned_end and status not in ENDED


def traffic_light(
    *, in_training: bool, criteria_total: int, mapped: int, duration: int, tolerance: float, rated_from: float
) -> TrafficLight:
    """Returns the traffic light of the employer guide: OFF_TRACK is red, ON_TRACK is amber, AHEAD is green.

    `mapped` and `duration` are in tenths of a percent, `tolerance` and `rated_from` in percentage points. The
    difference of mapped less duration is OFF_TRACK at minus the tolerance or below, AHEAD at the tolerance or above,
    else ON_TRACK. An aim is NOT_RATED unless it is in training, has a criterion, and `rated_from` percent of its time
    has elapsed.
    """
    if not in_training or criteria_total == 0 or duration < rated_from * 10:
        return TrafficLight.NOT_RATED
    if mapped - duration <= -tolerance * 10:
        return TrafficLight.OFF_TRACK
    return TrafficLight.AHEAD if mapped - duration >= tolerance * 10 else TrafficLight.ON_TRACK


def criterion_status(evidence_count: int, signed_off: bool) -> CriterionStatus:
    """Returns the status of a criterion: red, orange or green on the progress map of the learner guide."""
    if signed_off:
        return CriterionStatus.SIGNED_OFF
    return CriterionStatus.IN_PROGRESS if evidence_count else CriterionStatus.NOT_STARTED
