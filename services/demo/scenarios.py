"""How far the demo's learners have come: the plan of their aims for each state that a learner can be in."""

import datetime as dt
import random
from enum import Enum, auto

from domain.enums import AimStatus
from services.demo.learner_builder import AimPlan, QualificationWords


class State(Enum):
    """What a learner of the demo shows."""

    ON_TRACK = auto()
    OFF_TRACK = auto()
    AHEAD = auto()
    PAST_PLANNED_END = auto()
    AWAITING_INDUCTION = auto()
    SUSPENDED = auto()
    COMPLETED = auto()
    WITHDRAWN = auto()


# Points of progress less time elapsed, as shares: inside or outside the tolerance of 10 with room for rounding.
_DISTANCE = {
    State.ON_TRACK: (-0.05, 0.05),
    State.OFF_TRACK: (-0.28, -0.14),
    State.AHEAD: (0.14, 0.25),
}


def plan_aim(
    pick: random.Random, today: dt.date, qualification: QualificationWords, days: int, state: State, assessor: int,
    iqa: int | None, elapsed: tuple[float, float] = (0.28, 0.7),
) -> AimPlan:  # fmt: skip
    """One aim of `days` from start to planned end, as it is in that state; `elapsed` bounds the share of time gone."""
    gone = pick.uniform(*elapsed)
    status, actual_end = AimStatus.IN_TRAINING, None
    mapped, signed = gone, pick.uniform(0.5, 0.85)
    match state:
        case State.PAST_PLANNED_END:
            gone, mapped = 1.0, pick.uniform(0.6, 0.85)
        case State.AWAITING_INDUCTION:
            status, gone, mapped = AimStatus.AWAITING_INDUCTION, 0.0, 0.0
        case State.SUSPENDED:
            status, mapped = AimStatus.SUSPENDED, gone * 0.7
        case State.COMPLETED:
            status, gone, mapped, signed = AimStatus.COMPLETED, pick.uniform(0.96, 1.0), 1.0, 1.0
        case State.WITHDRAWN:
            status, mapped = AimStatus.WITHDRAWN, gone * 0.4
        case _:
            mapped = min(max(gone + pick.uniform(*_DISTANCE[state]), 0.0), 1.0)
    start = today - dt.timedelta(days=round(days * gone))
    if state is State.PAST_PLANNED_END:
        start -= dt.timedelta(days=pick.randint(9, 50))
    elif state is State.AWAITING_INDUCTION:
        start = today + dt.timedelta(days=pick.randint(5, 18))
    elif state in (State.COMPLETED, State.WITHDRAWN):
        shift = dt.timedelta(days=pick.randint(20, 90))
        start, actual_end = start - shift, today - shift
    return AimPlan(
        qualification, status, start, start + dt.timedelta(days=days - 1), assessor, iqa, mapped, signed, actual_end
    )
