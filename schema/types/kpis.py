"""Key performance indicators, with the definition of each number."""

import datetime as dt

from loaders.aggregates import Metric
from loaders.kpis import KpisRow, Metrics
from schema.field_builders import Info, attribute, selected_names
from schema.relay import value
from schema.types.off_the_job import OffTheJob
from schema.types.progress import Progress


@value(
    KpisRow,
    "Key performance indicators over a set of learners. They count only the learners, aims and records that the viewer "
    "may see, and no withdrawn aims or records of one. Each request counts again. A percentage is 100.0 only where "
    "nothing is missing, and 0.0 only where there is nothing.",
)
class Kpis:
    generated_at: dt.datetime = attribute(
        "When the numbers were counted. Numbers that depend on a day use the day in London."
    )
    learner_count: int = attribute(
        "Learners whom the viewer may see, with an aim that has not ended or without any aim yet."
    )
    ended_learner_count: int = attribute(
        "Learners whom the viewer may see whose every aim has ended, at least one of them `COMPLETED`. They are not in "
        "`learnerCount`."
    )
    aim_count: int = attribute("Aims that are not withdrawn: the sum of the four counts by traffic light.")
    off_track_count: int = attribute("Aims whose traffic light is `OFF_TRACK` (red).")
    on_track_count: int = attribute("Aims whose traffic light is `ON_TRACK` (amber).")
    ahead_count: int = attribute("Aims whose traffic light is `AHEAD` (green).")
    not_rated_count: int = attribute(
        "Aims whose traffic light is `NOT_RATED`: not in training, no criteria, or too little time has passed."
    )
    past_planned_end_count: int = attribute(
        "Aims that are neither completed nor suspended and whose planned end date has passed."
    )
    progress: Progress = attribute(
        "Progress over all aims: criteria are summed, `durationPercent` is the mean of the aims, and "
        "`pastPlannedEnd` is true if it is true for any aim."
    )
    awaiting_signature_count: int = attribute(
        "Open signature slots of the viewer's role in pending documents about the learners."
    )
    outstanding_action_count: int = attribute("Actions that are not `COMPLETE`, those of withdrawn aims excluded.")
    overdue_action_count: int = attribute("Actions that are not `COMPLETE` and whose target date has passed.")
    awaiting_assessment_count: int = attribute(
        "Pieces of evidence that wait for their assessment (`SUBMITTED` or `RESUBMITTED`)."
    )
    sessions_next7_days: int = attribute("Planned sessions that begin within the next seven days.")
    off_the_job: OffTheJob = attribute("Off-the-job minutes, summed over the learners.")


# The metrics that each field needs; `generatedAt` needs none.
_METRICS_OF_FIELD: dict[str, Metrics] = {
    **dict.fromkeys(("learnerCount", "endedLearnerCount"), frozenset({Metric.LEARNERS})),
    **dict.fromkeys(
        (
            "aimCount",
            "offTrackCount",
            "onTrackCount",
            "aheadCount",
            "notRatedCount",
            "pastPlannedEndCount",
            "progress",
        ),
        frozenset({Metric.AIMS}),
    ),
    "awaitingSignatureCount": frozenset({Metric.SIGNATURES}),
    "outstandingActionCount": frozenset({Metric.ACTIONS}),
    "overdueActionCount": frozenset({Metric.ACTIONS}),
    "awaitingAssessmentCount": frozenset({Metric.EVIDENCE}),
    "sessionsNext7Days": frozenset({Metric.SESSIONS}),
    "offTheJob": frozenset({Metric.REQUIRED_TIME, Metric.ACTUAL_TIME}),
}


def selected_metrics(info: Info, *below: str) -> Metrics:
    """The metrics that the fields selected below this one need, so that nothing else is read.

    `below`: the name of the field below this one that has them.
    """
    return frozenset().union(*(_METRICS_OF_FIELD.get(name, ()) for name in selected_names(info, *below)))
