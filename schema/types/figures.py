"""Figures for analysts: KPIs by group, outcomes of aims, the work of assessors."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from loaders.assessor_workload import AssessorWorkloadRow
from loaders.kpi_history import KpiPointRow
from loaders.outcomes import OutcomesRow
from resolvers import figures
from schema.enums import AimStatus, Interval, KpiGroupBy
from schema.field_builders import Info, argument, attribute, resolved
from schema.relay import Node, value
from schema.types.kpis import Kpis, selected_metrics


@strawberry.input(
    description="Conditions for the aims that key performance indicators count, with the records of these aims; all of "
    "those given must hold. A record that belongs to no aim counts with its learner."
)
class KpiFilter:
    employer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only learners who work at this employer site."
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only aims of this assessor: the id of a user."
    )
    qualification_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only aims of this version of a qualification."
    )
    statuses: list[AimStatus] | None = strawberry.field(
        default=None, description="Only aims in one of these states. `WITHDRAWN` aims count in no number."
    )
    started_from: dt.date | None = strawberry.field(
        default=None, description="Only aims that start on this day or later."
    )
    started_to: dt.date | None = strawberry.field(
        default=None, description="Only aims that start on this day or earlier."
    )


def conditions(filter: KpiFilter | None) -> dict[str, Any]:
    """Returns the values of a filter by name, lists made hashable."""
    given = vars(filter) if filter else {}
    return {name: tuple(each) if isinstance(each, list) else each for name, each in given.items()}


@value(
    figures.KpiGroupRow,
    "The key performance indicators of one group of aims. An aim is in one group; a learner with several aims, and the "
    "learner's records that belong to no aim, count in the group of each of these aims.",
)
class KpiGroup:
    key: str = attribute("The id of the subject; a month as YYYY-MM; or NONE for what belongs to no group.")
    label: str = attribute("The name of the group, to show to people.")
    subject: Node | None = attribute("The employer, assessor or qualification; null for a month and for NONE.")
    kpis: Kpis = attribute("The numbers of the group.")


@value(
    OutcomesRow,
    "How the aims ended that were completed or withdrawn in a period. A withdrawn aim is left out where the learner "
    "went on to another aim of the same kind of qualification (a transfer); a move to another version ends no aim. The "
    "percentages are shares of `leaverCount`, as in the achievement rates of the Department for Education, but by the "
    "day on which an aim ended; 0 where none ended.",
)
class Outcomes:
    leaver_count: int = attribute("Aims that ended in the period: completed or withdrawn.")
    completed_count: int = attribute("Those that were completed.")
    achieved_count: int = attribute("Those that were completed with the outcome `ACHIEVED`.")
    timely_count: int = attribute("Those that were achieved on the planned end date or earlier.")
    retention_percent: float = attribute("`completedCount` as a percentage of `leaverCount`, to one decimal.")
    achievement_percent: float = attribute("`achievedCount` as a percentage of `leaverCount`, to one decimal.")
    timely_percent: float = attribute("`timelyCount` as a percentage of `leaverCount`, to one decimal.")


@value(
    AssessorWorkloadRow,
    "What an assessor decided on evidence in a period, of the evidence that the viewer may see. Each submission and "
    "resubmission is counted once.",
)
class AssessorWorkload:
    assessed_count: int = attribute("Submissions that the assessor assessed.")
    returned_count: int = attribute("Submissions that the assessor returned with points for improvement.")
    waiting_count: int = attribute("Evidence of the assessor's aims that waits for its assessment now.")
    mean_days_to_assess: float | None = attribute(
        "The mean of the days from a submission to the assessor's first decision on it, to one decimal; null if there "
        "was none in the period."
    )


@value(
    KpiPointRow,
    "Key performance indicators at the end of one day in London, over the aims that the viewer may see today. They say "
    "what was recorded by then: a later correction counts from the day on which it was recorded, so that a point of "
    "the past stays as it is. The numbers of days before the installation kept history (release 0.2.0) were rebuilt "
    "from dated records; what those lack, such as an earlier assessor or employer, counts as it stood then.",
)
class KpiPoint:
    day: dt.date = attribute("The last day of the interval; of the last point, the last day of the period.")
    learner_count: int = attribute("Learners with an aim that had not ended, or without any aim.")
    aim_count: int = attribute("Aims that were not withdrawn: the sum of the four counts by traffic light.")
    off_track_count: int = attribute("Aims whose traffic light was `OFF_TRACK` (red).")
    on_track_count: int = attribute("Aims whose traffic light was `ON_TRACK` (amber).")
    ahead_count: int = attribute("Aims whose traffic light was `AHEAD` (green).")
    not_rated_count: int = attribute("Aims whose traffic light was `NOT_RATED`.")
    past_planned_end_count: int = attribute(
        "Aims that were neither completed nor suspended and whose planned end date had passed."
    )
    started_count: int = attribute(
        "Aims that started in the interval; an aim recorded after its start counts on the day of its record."
    )
    completed_count: int = attribute("Aims whose completion was recorded in the interval, and stood at its end.")
    withdrawn_count: int = attribute("Aims whose withdrawal was recorded in the interval, and stood at its end.")
    criteria_total: int = attribute("Criteria of the aims.")
    criteria_mapped: int = attribute("Criteria with evidence mapped to them, including those signed off.")
    criteria_signed_off: int = attribute("Criteria that an assessor had signed off.")
    off_the_job_minutes: int = attribute(
        "Off-the-job minutes that came to count in the interval, less those that were taken back in it. It is about "
        "when they were recorded, not about when the learning took place."
    )


def _groups(viewer: Any, info: Info, by: KpiGroupBy, on: dt.date | None, filter: KpiFilter | None) -> Any:
    return figures.groups(info.context, by, selected_metrics(info, "kpis"), conditions(filter), on)


def _history(
    viewer: Any, info: Info, from_: dt.date, to: dt.date | None, every: Interval, filter: KpiFilter | None
) -> Any:
    return figures.history(info.context, from_, to, every, conditions(filter))


def _outcomes(viewer: Any, info: Info, ended_from: dt.date, ended_to: dt.date, filter: KpiFilter | None) -> Any:
    return figures.outcomes_of_period(info.context, ended_from, ended_to, conditions(filter))


FilterArgument = argument(KpiFilter, "Conditions that the aims must meet.")

KPI_GROUPS = resolved(
    "Key performance indicators by group, by name, at most 1,000 groups. Groups in which nothing is counted are left "
    "out. Aims, and the records of aims, add up to those of `kpis`.",
    _groups,
    other_rows=figures.NAMES_READ,
    by=Annotated[KpiGroupBy, strawberry.argument(description="What to group by.")],
    on=argument(
        dt.date,
        "As the groups stood at the end of this day in London; now if null. Of a past day only learners, aims, traffic "
        "lights, planned ends and progress are kept.",
    ),
    filter=FilterArgument,
)
KPI_HISTORY = resolved(
    "Key performance indicators at the end of each day, week (on Sunday) or month in a period, oldest first, at most "
    "400 points. The last point is the last day of the period; today, it is now.",
    _history,
    from_=Annotated[dt.date, strawberry.argument(name="from", description="The first day of the period.")],
    to=argument(dt.date, "The last day of the period; today if null."),
    every=Annotated[Interval, strawberry.argument(description="How far apart the points are.")],
    filter=FilterArgument,
    defaults={"every": Interval.WEEK},
)
OUTCOMES = resolved(
    "How the aims ended that were completed or withdrawn in a period, of those that the viewer may see.",
    _outcomes,
    ended_from=Annotated[dt.date, strawberry.argument(description="The first day of the period.")],
    ended_to=Annotated[dt.date, strawberry.argument(description="The last day of the period.")],
    filter=FilterArgument,
)
ASSESSOR_WORKLOAD = resolved(
    "What the user decided on evidence as an assessor in a period, and how long it had waited; all 0 for other users.",
    lambda row, info, from_, to: figures.workload(info.context, row.key, from_, to),
    reads=("key",),
    from_=Annotated[dt.date, strawberry.argument(name="from", description="The first day of the period.")],
    to=Annotated[dt.date, strawberry.argument(description="The last day of the period.")],
)
