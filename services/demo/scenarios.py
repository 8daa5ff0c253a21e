"""The scenarios of the demo's learners, such as off track or suspended, and the aims that each scenario plans."""

import datetime as dt
import random
from enum import Enum, auto

from domain.breaks import BreakPeriod
from domain.enums import AimStatus
from services.demo.portfolio import AimPlan
from services.demo.stored_qualification import StoredQualification


class Scenario(Enum):
    """The situation that a learner of the demo is in."""

    ON_TRACK = auto()
    OFF_TRACK = auto()
    AHEAD = auto()
    PAST_PLANNED_END = auto()
    AWAITING_INDUCTION = auto()
    SUSPENDED = auto()
    COMPLETED = auto()
    WITHDRAWN = auto()


class Particular(Enum):
    """What is particular about a single learner of the demo, besides the scenario."""

    # The optional units are not chosen yet.
    UNITS_TO_CHOOSE = auto()
    # Back in training after a break of two months.
    BACK_FROM_BREAK = auto()
    # The standard moved to its next version.
    CHANGED_VERSION = auto()
    # No formal review has taken place.
    REVIEW_LATE = auto()


_BREAK_DAYS, _BACK_SINCE = 60, 30


def with_break(aim: AimPlan, today: dt.date) -> None:
    """Adds a break that ended a month ago, and moves start and planned end so that the share elapsed stays."""
    away = dt.timedelta(days=_BREAK_DAYS)
    returned = today - dt.timedelta(days=_BACK_SINCE)
    aim.start -= away
    aim.breaks = (BreakPeriod(max(returned - away, aim.start), returned),)


# Share of progress minus share of time elapsed, inside or outside the tolerance of 10 points with room for rounding.
_DISTANCE = {
    Scenario.ON_TRACK: (-0.05, 0.05),
    Scenario.OFF_TRACK: (-0.28, -0.14),
    Scenario.AHEAD: (0.14, 0.25),
}


def plan_aim(
    rng: random.Random, today: dt.date, qualification: StoredQualification, days: int, scenario: Scenario,
    assessor: int, iqa: int | None, elapsed: tuple[float, float] = (0.28, 0.7),
) -> AimPlan:  # fmt: skip
    """An aim of `days` from start to planned end. `elapsed` bounds the share of that time that has passed."""
    passed = rng.uniform(*elapsed)
    status, actual_end = AimStatus.IN_TRAINING, None
    mapped, signed_off = passed, rng.uniform(0.5, 0.85)
    match scenario:
        case Scenario.PAST_PLANNED_END:
            passed, mapped = 1.0, rng.uniform(0.6, 0.85)
        case Scenario.AWAITING_INDUCTION:
            status, passed, mapped = AimStatus.AWAITING_INDUCTION, 0.0, 0.0
        case Scenario.SUSPENDED:
            status, mapped = AimStatus.SUSPENDED, passed * 0.7
        case Scenario.COMPLETED:
            status, passed, mapped, signed_off = AimStatus.COMPLETED, rng.uniform(0.96, 1.0), 1.0, 1.0
        case Scenario.WITHDRAWN:
            status, mapped = AimStatus.WITHDRAWN, passed * 0.4
        case _:
            mapped = min(max(passed + rng.uniform(*_DISTANCE[scenario]), 0.0), 1.0)
    start = today - dt.timedelta(days=round(days * passed))
    if scenario is Scenario.PAST_PLANNED_END:
        start -= dt.timedelta(days=rng.randint(9, 50))
    elif scenario is Scenario.AWAITING_INDUCTION:
        start = today + dt.timedelta(days=rng.randint(5, 18))
    elif scenario in (Scenario.COMPLETED, Scenario.WITHDRAWN):
        shift = dt.timedelta(days=rng.randint(20, 90))
        start, actual_end = start - shift, today - shift
    planned_end = start + dt.timedelta(days=days - 1)
    breaks: tuple[BreakPeriod, ...] = ()
    if scenario is Scenario.SUSPENDED:
        breaks = (
            BreakPeriod(max(start + dt.timedelta(days=30), today - dt.timedelta(days=rng.randint(20, 60))), None),
        )
    return AimPlan(qualification, status, start, planned_end, assessor, iqa, mapped, signed_off, actual_end, breaks)
