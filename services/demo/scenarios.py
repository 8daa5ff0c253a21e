"""The scenarios of the demo's learners, such as off track or suspended, and the aims that each scenario plans."""

import datetime as dt
import random
from enum import Enum, auto

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
    return AimPlan(
        qualification, status, start, start + dt.timedelta(days=days - 1), assessor, iqa, mapped, signed_off, actual_end
    )
