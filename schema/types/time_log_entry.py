"""The time log: learning on and off the job."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from loaders.aim import AimLoader
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.session import SessionLoader
from loaders.time_log_entry import TIME_LOG, RevisionsLoader, TimeLogEntryRow, TimeLogRevisionRow
from loaders.unit import UnitLoader
from schema.enums import ActivityType, JobSetting, OffTheJobExclusionReason
from schema.field_builders import (
    UPDATED_SINCE,
    argument,
    attribute,
    connection,
    loaded,
    person,
    related,
    resolved,
    updated_at,
)
from schema.relay import Connection, Node, node, record, value
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.learner import Learner
    from schema.types.session import Session
    from schema.types.unit import Unit


def _unit(row: TimeLogEntryRow, loaders: Loaders) -> Any:
    if row.aim_key is None or row.unit_key is None:
        return None
    return loaders[UnitLoader].load((row.aim_key, row.unit_key))


@value(TimeLogRevisionRow, "An earlier state of a time log entry: what it said until it was changed.")
class TimeLogRevision:
    changed_by: Annotated["User", strawberry.lazy("schema.types.user")] = person(
        "The user who changed the entry.", "changed_by_key"
    )
    changed_at: dt.datetime = attribute("When the entry was changed.")
    date: dt.date = attribute("The day on which the learning took place, until the change.")
    minutes: int = attribute("The duration in minutes, until the change.")
    job_setting: JobSetting = attribute("Whether the learning was on or off the job, until the change.")
    activity_type: ActivityType = attribute("The kind of learning, until the change.")
    comments: str = attribute("The comments, until the change.")


@node(TimeLogEntryRow, "An entry of a learner's time log: one period of learning on one day, on or off the job.")
class TimeLogEntry(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner.", LearnerLoader, by="learner_key"
    )
    date: dt.date = attribute("The day on which the learning took place.")
    activity_type: ActivityType = attribute("The kind of learning.")
    job_setting: JobSetting = attribute("Whether the learning was on or off the job.")
    minutes: int = attribute("The duration in minutes.")
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] | None = loaded(
        "The aim that it belongs to; null if it belongs to none or the viewer may not see the aim.",
        AimLoader,
        by="aim_key",
    )
    unit: Annotated["Unit", strawberry.lazy("schema.types.unit")] | None = related(
        "The unit that it belongs to; null if it belongs to none or the viewer may not see the aim.",
        _unit,
        reads=("aim_key", "unit_key"),
    )
    assessor: User | None = attribute("The assessor who taught; null for learning without an assessor.")
    comments: str = attribute("What the learner learned, how, and what it means for the job.")
    automatic: bool = attribute(
        "Whether the system created it from an attended session. The learner cannot change such an entry."
    )
    session: Annotated["Session", strawberry.lazy("schema.types.session")] | None = loaded(
        "The session that it was created from; null for an entry made by hand, or if the viewer may not see the "
        "session.",
        SessionLoader,
        by="session_key",
    )
    added_by: User = person("The user who added it.", "added_by_key")
    approved_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "The user who approved it; null until then.", "approved_by_key"
    )
    approved_at: dt.datetime | None = attribute("When it was approved; null until then.")
    exclusion: OffTheJobExclusionReason | None = attribute(
        "Why its minutes do not count towards the required hours; null if they count, or if it is on the job."
    )
    employer_confirmed_at: dt.datetime | None = attribute(
        "When the learner's employer confirmed that the learning took place; null until then, and again once the entry "
        "is changed."
    )
    revisions: list[TimeLogRevision] = loaded(
        "Every earlier state of the entry, newest first: what it said, and who changed it when.", RevisionsLoader
    )
    updated_at: dt.datetime = updated_at("its earlier states")
    viewer_actions: list[ViewerAction] = viewer_actions("TimeLogEntry")


@strawberry.type(description="A page of a time log, with the total of the whole list.")
class TimeLogEntryConnection(Connection[TimeLogEntry]):
    total_minutes: int = resolved(
        "The minutes of all entries that meet the filter, on all pages.", lambda page, info: page.total("minutes")
    )


@strawberry.type(description="One day of a time log calendar.")
class TimeLogDay:
    date: dt.date = attribute("The day.")
    minutes: int = attribute("The total of the day's entries in minutes.")
    entries: list[TimeLogEntry] = attribute("The entries of the day.")


@strawberry.input(description="Conditions for time log entries; all of those given must hold.")
class TimeLogFilter:
    aim_id: strawberry.ID | None = strawberry.field(default=None, description="Only entries of this aim.")
    job_setting: JobSetting | None = strawberry.field(
        default=None, description="Only learning on the job, or only learning off the job."
    )
    activity_type: ActivityType | None = strawberry.field(
        default=None, description="Only entries with this kind of learning."
    )
    from_: dt.date | None = strawberry.field(
        default=None, name="from", description="Only entries on or after this day."
    )
    to: dt.date | None = strawberry.field(default=None, description="Only entries on or before this day.")


@strawberry.type
class TimeLogEntryQueries:
    time_log_entry: TimeLogEntry | None = record("TimeLogEntry", "The time log entry with this id")
    time_log_entries: TimeLogEntryConnection = connection(
        "The time log entries of all learners whom the viewer may see, latest day first.",
        TIME_LOG,
        filter=TimeLogFilter,
        learner_id=argument(strawberry.ID, "Only entries of this learner."),
        employer_id=argument(strawberry.ID, "Only entries of learners who work at this employer site."),
        updated_since=argument(dt.datetime, UPDATED_SINCE),
    )
