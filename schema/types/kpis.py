"""Key performance indicators, with the definition of each number."""

import datetime as dt

from loaders.aggregates import Metric
from loaders.kpis import KpisRow, Parts
from schema.field_builders import Info, attribute, selected
from schema.relay import value
from schema.types.off_the_job import OffTheJob
from schema.types.progress import Progress


@value(
    KpisRow,
    "Key performance indicators over a set of learners [000: at-a-glance KPIs over the employer's "
    "learners]: those whom the viewer may see, and of them the aims and records that the viewer may see. Aims that are "
    "WITHDRAWN count in no number of aims. Read afresh with every request.",
)
class Kpis:
    generated_at: dt.datetime = attribute("The moment at which each number here is exact; days are days in London.")
    learner_count: int = attribute("Learners whom the viewer may see [000].")
    aim_count: int = attribute("Their aims that are not WITHDRAWN: the sum of the four counts by traffic light [000].")
    off_track_count: int = attribute("Aims whose traffic light is OFF_TRACK (red) [000].")
    on_track_count: int = attribute("Aims whose traffic light is ON_TRACK (amber) [000].")
    ahead_count: int = attribute("Aims whose traffic light is AHEAD (green) [000].")
    not_rated_count: int = attribute("Aims without a traffic light: not IN_TRAINING, or with nothing to measure [000].")
    past_planned_end_count: int = attribute(
        "Aims that are not COMPLETED and whose planned end date is before today [001: the bar turns red]."
    )
    progress: Progress = attribute(
        "Criteria summed over the aims; durationPercent the mean of the aims', half up; pastPlannedEnd where any is."
    )
    awaiting_signature_count: int = attribute(
        "Open signature slots of the viewer's own role on PENDING documents about the learners [000: the red border]."
    )
    outstanding_action_count: int = attribute("Actions that are not COMPLETE [001].")
    overdue_action_count: int = attribute("Actions that are not COMPLETE and whose target date is before today [001].")
    awaiting_assessment_count: int = attribute("Evidence that is SUBMITTED or RESUBMITTED: not yet assessed [001].")
    sessions_next7_days: int = attribute("PLANNED sessions that begin within seven days from now [000: visits booked].")
    off_the_job: OffTheJob = attribute("Minutes off the job, summed over the learners.")


# What has to be read for a field; the moment is there already.
_PARTS: dict[str, Parts] = {
    "learnerCount": frozenset({Metric.LEARNERS}),
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


def parts_asked(info: Info) -> Parts:
    """What the fields selected below this one need, so that nothing else is read."""
    return frozenset().union(*(_PARTS.get(name, ()) for name in selected(info)))
