"""The rules behind the numbers: percentages, time elapsed, the traffic light. Pure; `behaviours.md`, rules behind the numbers.

Shares are percentages from 0 to 100, exact to one decimal. Days are days in London.
"""

import datetime as dt

from db.enums import AimStatus, CriterionStatus, TrafficLight


def percent(part: float, whole: float) -> float:
    """`part` of `whole` from 0 to 100, to one decimal; 0 where there is no whole."""
    if whole <= 0:
        return 0.0
    return round(min(max(100.0 * part / whole, 0.0), 100.0), 1)


def duration_percent(start: dt.date, planned_end: dt.date, today: dt.date) -> float:
    """The blue bar [000]: days from start to today over days from start to planned end, both days counted."""
    return percent((today - start).days + 1, (planned_end - start).days + 1)


def is_past_planned_end(status: AimStatus, planned_end: dt.date, today: dt.date) -> bool:
    """Red time bar [001]: from the day after the planned end, while there is still something to finish."""
    return today > planned_end and status not in (AimStatus.COMPLETED, AimStatus.WITHDRAWN)


def traffic_light(
    *, in_training: bool, criteria_total: int, mapped: float, duration: float, tolerance: float, rated_from: float
) -> TrafficLight:
    """Red, amber or green [000]: mapped percent less duration percent, against the provider's tolerance in points.

    At or below minus the tolerance OFF_TRACK, at or above it AHEAD, else ON_TRACK; NOT_RATED unless in training, with at
    least one criterion and at least `rated_from` percent of the time gone.
    """
    if not in_training or criteria_total == 0 or duration < rated_from:
        return TrafficLight.NOT_RATED
    # Both are to one decimal: so is their difference, free of what binary fractions add.
    difference = round(mapped - duration, 1)
    if difference <= -tolerance:
        return TrafficLight.OFF_TRACK
    return TrafficLight.AHEAD if difference >= tolerance else TrafficLight.ON_TRACK


def criterion_status(evidence_count: int, signed_off: bool) -> CriterionStatus:
    """Red, orange or green on the progress map [001]."""
    if signed_off:
        return CriterionStatus.SIGNED_OFF
    return CriterionStatus.IN_PROGRESS if evidence_count else CriterionStatus.NOT_STARTED


def expected_minutes(required: int, duration: float) -> int:
    """Off-the-job minutes that should be there by now: required times time elapsed."""
    return round(required * duration / 100)
