"""The figures of a progress review: of this moment in a draft, else those that were stored when it was issued."""

import asyncio
import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from domain.enums import OffTheJobExclusionReason, TrafficLight
from loaders.aggregates import GroupBy
from loaders.aim import PROGRAMME_READS, ProgrammeLoader
from loaders.core.registry import Loaders
from loaders.core.rows import Attributes
from loaders.off_the_job import OffTheJobLoader, OffTheJobRow
from loaders.off_the_job_detail import ExclusionRow, LearningLoader, LearningRow, PolicyRow, ProgrammeTimeLoader
from loaders.progress import ProgressRow
from loaders.review import ReviewRow
from loaders.upcoming import UpcomingLoader, UpcomingRow

_PROGRESS = (
    "criteria_total", "criteria_mapped", "criteria_signed_off", "duration_tenths", "past_planned_end", "days_on_break",
    "units_to_choose",
)  # fmt: skip
_TIME = (
    "required_minutes", "expected_minutes", "actual_minutes", "logged_minutes", "approved_minutes", "planned_minutes",
    "prior_learning_minutes",
)  # fmt: skip


@dataclass(slots=True)
class ReviewFiguresRow:
    """Progress, hours and outstanding actions of a learner."""

    progress: ProgressRow
    traffic_light: TrafficLight
    off_the_job: OffTheJobRow
    outstanding_action_count: int


# What figures are made of.
FIGURES_READ: Attributes = {**PROGRAMME_READS, UpcomingRow: ("outstanding_action_count",)}


async def figures_of(review: ReviewRow, loaders: Loaders) -> ReviewFiguresRow:
    """Returns the figures of a review."""
    return await current_figures(review.learner_key, loaders) if review.figures is None else _stored(review, loaders)


async def current_figures(learner_key: int, loaders: Loaders) -> ReviewFiguresRow:
    """Returns the figures of this moment, over what the viewer sees of the learner."""
    programme, time, upcoming = await asyncio.gather(
        loaders[ProgrammeLoader].load(learner_key),
        loaders[OffTheJobLoader].load(learner_key),
        loaders[UpcomingLoader].load(learner_key),
    )
    return ReviewFiguresRow(programme.progress, programme.traffic_light, time, upcoming.outstanding_action_count)


async def as_json(figures: ReviewFiguresRow, loaders: Loaders) -> dict[str, Any]:
    """Returns what `Review.figures` stores."""
    owner = figures.off_the_job.owner
    learning, (months, policy) = await asyncio.gather(
        loaders[LearningLoader].load(owner), loaders[ProgrammeTimeLoader].load(owner)
    )
    return {
        "progress": {name: getattr(figures.progress, name) for name in _PROGRESS},
        "traffic_light": figures.traffic_light.value,
        "off_the_job": {name: getattr(figures.off_the_job, name) for name in _TIME},
        "excluded": [[each.reason.value, each.minutes] for each in learning.excluded],
        "last_learning_on": learning.last_learning_on and learning.last_learning_on.isoformat(),
        "months_without_learning": months,
        "policy": policy and {**asdict(policy), "starts_from": policy.starts_from.isoformat()},
        "outstanding_action_count": figures.outstanding_action_count,
    }


def _stored(review: ReviewRow, loaders: Loaders) -> ReviewFiguresRow:
    stored = review.figures
    assert stored is not None
    owner = (GroupBy.REVIEW, review.key)
    # What of the hours is read only if it is selected.
    last, policy = stored["last_learning_on"], stored["policy"]
    learning = LearningRow(
        [ExclusionRow(OffTheJobExclusionReason(reason), minutes) for reason, minutes in stored["excluded"]],
        last and dt.date.fromisoformat(last),
    )
    policy_row = policy and PolicyRow(**{**policy, "starts_from": dt.date.fromisoformat(policy["starts_from"])})
    loaders[LearningLoader].prime(owner, learning)
    loaders[ProgrammeTimeLoader].prime(owner, (stored["months_without_learning"], policy_row))
    return ReviewFiguresRow(
        ProgressRow(**stored["progress"]),
        TrafficLight(stored["traffic_light"]),
        OffTheJobRow(**stored["off_the_job"], owner=owner),
        stored["outstanding_action_count"],
    )
