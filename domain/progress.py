"""Progress rules (docs/behaviours.md): percentages, time elapsed and the traffic light.

Shares are integers in tenths of a percent, rounded half up, so that Python and both databases (`db/sql/progress.py`)
agree at every boundary. A share is never the whole while anything is missing, and never 0 where there is anything.
Days are days in London.
"""

import datetime as dt
from functools import lru_cache

from domain.enums import AimStatus, CriterionStatus, TrafficLight

# Statuses of an aim that is no longer in learning.
ENDED = (AimStatus.COMPLETED, AimStatus.WITHDRAWN)
# Statuses in which nothing about an aim can be late: it has ended, or the learner is on a break.
NEVER_LATE = (*ENDED, AimStatus.SUSPENDED)


def share(part: int, whole: int, of: int) -> int:
    """Returns the share `part` of `whole`, as a part of `of`: 0 to `of`, rounded half up; 0 if `whole` is not positive.

    It is `of` only where nothing is missing, and 0 only where there is nothing.
    """
    if whole <= 0 or part <= 0:
        return 0
    if part >= whole:
        return of
    # Of a total of 1 or less, no whole number is a part.
    return max(min(max((2 * of * part + whole) // (2 * whole), 1), of - 1), 0)


@lru_cache(maxsize=20_000)
def tenths(part: int, whole: int) -> int:
    """Returns `part` of `whole` in tenths of a percent, 0 to 1000, by the rule of `share`: 2,499 of 2,500 is 999."""
    return share(part, whole, 1000)


def reached_tenths(part: int, whole: int, units_to_choose: int = 0) -> int:
    """Returns the share of criteria reached as `tenths`; never the whole while optional units are still to choose."""
    reached = tenths(part, whole)
    return min(reached, 999) if units_to_choose else reached


def percent(part: int, whole: int) -> float:
    """Returns `part` of `whole` in percent, 0 to 100, to one decimal, by the rule of `share`."""
    return tenths(part, whole) / 10


def days_counted(first: dt.date, last: dt.date) -> int:
    """Returns the number of days from the first to the last, both included."""
    return (last - first).days + 1


def duration_tenths(start: dt.date, planned_end: dt.date, today: dt.date, on_break: int = 0) -> int:
    """Returns the elapsed share of the planned days in tenths of a percent: the blue bar of the employer guide.

    `on_break`: the days of breaks in learning up to `today` or the planned end, which are left out of both numbers.
    """
    before = start.toordinal() - 1 + on_break
    return tenths(min(today, planned_end).toordinal() - before, planned_end.toordinal() - before)


def days_on_break(
    ended_breaks: int, since: dt.date | None, start: dt.date, planned_end: dt.date, today: dt.date
) -> int:
    """Returns the days of breaks of one aim up to `today` or the planned end.

    `ended_breaks` are the days of breaks that have ended, between start and planned end; `since` is the first day of
    the break that has not ended.
    """
    if since is None:
        return ended_breaks
    return ended_breaks + max(days_counted(max(since, start), min(today, planned_end)), 0)


def is_past_planned_end(status: AimStatus, planned_end: dt.date, today: dt.date) -> bool:
    """Returns whether the aim is overdue: from the day after the planned end, unless it has ended or is suspended.

    The learner guide shows the bar in red then.
    """
    return today > planned_end and status not in NEVER_LATE


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
