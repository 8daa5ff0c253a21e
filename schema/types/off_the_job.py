"""Off-the-job training compared with what is required."""

import datetime as dt
from operator import itemgetter
from typing import Any

from loaders.core.dataloader import map_future
from loaders.core.registry import Loaders
from loaders.off_the_job import OffTheJobRow
from loaders.off_the_job_detail import (
    AIMS_READ,
    ExclusionRow,
    LearningLoader,
    MonthRow,
    PolicyRow,
    ProgrammeTimeLoader,
)
from schema.enums import OffTheJobExclusionReason
from schema.field_builders import attribute, loaded, related
from schema.relay import value


@value(ExclusionRow, "Logged off-the-job minutes that do not count, for one reason.")
class OffTheJobExclusion:
    reason: OffTheJobExclusionReason = attribute("Why they do not count.")
    minutes: int = attribute("How many minutes.")


@value(MonthRow, "The off-the-job minutes whose learning took place in one month.")
class OffTheJobMonth:
    month: str = attribute("The month, as YYYY-MM.")
    actual_minutes: int = attribute("Minutes that count.")
    logged_minutes: int = attribute("Minutes in all, whether they count or not.")


@value(
    PolicyRow,
    "The rule that says how many off-the-job hours an aim requires. The provider's operator imports such rules.",
)
class OffTheJobPolicy:
    starts_from: dt.date = attribute("It applies to aims whose original start is this day or later.")
    minimum_hours: int = attribute("The hours that are required.")
    source: str = attribute("Where the rule is published.")
    reference: str | None = attribute("The reference of the standard; null if it applies to every standard.")
    floor_hours: int = attribute("Prior learning never reduces the hours below this.")


def _months(row: OffTheJobRow, loaders: Loaders) -> Any:
    return map_future(loaders[ProgrammeTimeLoader].load(row.owner), itemgetter(0))


def _policy(row: OffTheJobRow, loaders: Loaders) -> Any:
    return map_future(loaders[ProgrammeTimeLoader].load(row.owner), itemgetter(1))


@value(
    OffTheJobRow,
    "Off-the-job training: learning in paid hours away from the usual work, of which an apprenticeship requires a "
    "minimum. Compares the minutes required, expected by today, planned, logged and counted. Withdrawn aims require "
    "none.",
)
class OffTheJob:
    required_minutes: int = attribute(
        "Minutes that are required, by the policy of the aims' original start or the minimum of their qualifications, "
        "less prior learning; 0 if no minimum is known, and for English and mathematics."
    )
    expected_minutes: int = attribute(
        "Minutes that should be logged by today: the sum over the aims of required minutes x days elapsed / days "
        "planned, breaks left out. A straight line is a convention: nobody has to learn evenly. Never the whole before "
        "the planned end."
    )
    actual_minutes: int = attribute(
        "Minutes of `OFF_THE_JOB` time log entries that the viewer may see and that count, whether automatic, approved "
        "or not yet approved. Others are in `excluded`."
    )
    actual_percent: float = attribute(
        "`actualMinutes` as a percentage of `requiredMinutes`, 0 to 100, to one decimal; 0 if none are required."
    )
    logged_minutes: int = attribute(
        "Minutes of all `OFF_THE_JOB` time log entries that the viewer may see, whether they count or not."
    )
    approved_minutes: int = attribute("Those of `actualMinutes` that the assessor has approved.")
    planned_minutes: int | None = attribute(
        "Minutes that were agreed in the plan, less prior learning; null if none were agreed."
    )
    prior_learning_minutes: int = attribute("Minutes of the programme that the learners had learned before.")
    excluded: list[OffTheJobExclusion] = loaded(
        "Logged minutes that do not count, by reason. Together with `actualMinutes` they are `loggedMinutes`.",
        LearningLoader,
        by="owner",
        part="excluded",
    )
    by_month: list[OffTheJobMonth] = loaded(
        "The minutes by month, the earliest first; months without entries are left out. They add up to "
        "`actualMinutes` and `loggedMinutes`. Empty in the figures of an issued review.",
        LearningLoader,
        by="owner",
        part="by_month",
    )
    last_learning_on: dt.date | None = loaded(
        "The last day with minutes that count; null if there is none.",
        LearningLoader,
        by="owner",
        part="last_learning_on",
    )
    months_without_learning: list[str] = related(
        "Months, as YYYY-MM, from the start to the last complete month, without minutes that count; months in which "
        "the learner was on a break on every day are left out. Only of an aim or a learner, empty in KPIs.",
        _months,
        AIMS_READ,
    )
    policy: OffTheJobPolicy | None = related(
        "The rule that gave `requiredMinutes`; of a learner, that of the aim with the most hours. Null where the "
        "minimum of the qualification holds, and in KPIs.",
        _policy,
        AIMS_READ,
    )
