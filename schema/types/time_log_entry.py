"""The time log: learning on and off the job."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from loaders.aim import AimLoader
from loaders.learner import LearnerLoader
from loaders.session import SessionLoader
from loaders.time_log_entry import TimeLogEntryRow
from loaders.unit import UnitLoader
from schema.enums import ActivityType, JobSetting
from schema.field_builders import attribute, loaded, person, related
from schema.relay import Connection, Node, node
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.learner import Learner
    from schema.types.session import Session
    from schema.types.unit import Unit


def _unit(row: TimeLogEntryRow, load) -> Any:
    named = row.aim_key is not None and row.unit_key is not None
    return load[UnitLoader].load((row.aim_key, row.unit_key)) if named else None


@node(TimeLogEntryRow, "One stretch of learning on one day.")
class TimeLogEntry(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "Who learned.", LearnerLoader, by="learner_key"
    )
    date: dt.date = attribute("When the learning took place.")
    activity_type: ActivityType = attribute("What kind of learning it was.")
    job_setting: JobSetting = attribute("Whether it was on or off the job.")
    minutes: int = attribute("How long it took.")
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] | None = loaded(
        "The component (course) that it belongs to; null if to none.",
        AimLoader,
        by="aim_key",
    )
    unit: Annotated["Unit", strawberry.lazy("schema.types.unit")] | None = related(
        "The unit that it belongs to; null if to none.", _unit
    )
    assessor: User | None = attribute("The assessor who taught; null for No Assessor.")
    comments: str = attribute("What was learned, how, and what it means for the job.")
    automatic: bool = attribute("Made by the system from an attended session: the learner cannot change it.")
    session: Annotated["Session", strawberry.lazy("schema.types.session")] | None = loaded(
        "The session that it was made from; null if by hand.",
        SessionLoader,
        by="session_key",
    )
    approved_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "Who approved it; null until then.", "approved_by_key"
    )
    approved_at: dt.datetime | None = attribute("When it was approved; null until then.")


@strawberry.type(description="A page of a time log, with what the whole of it adds up to.")
class TimeLogEntryConnection(Connection[TimeLogEntry]):
    @strawberry.field(description="Minutes over every entry that the filter lets through, whatever the page.")
    async def total_minutes(root: Any) -> int:
        return (await root.sums())[0]


@strawberry.type(description="One day of a time log on which something was logged.")
class TimeLogDay:
    date: dt.date = attribute("The day.")
    minutes: int = attribute("What was logged on it, added up.")
    entries: list[TimeLogEntry] = attribute("What was logged on it.")


@strawberry.input(description="Which entries; every condition that is set must hold.")
class TimeLogFilter:
    aim_id: strawberry.ID | None = strawberry.field(default=None, description="Of this component (course).")
    job_setting: JobSetting | None = strawberry.field(default=None, description="On or off the job.")
    activity_type: ActivityType | None = strawberry.field(default=None, description="Of this kind of learning.")
    from_: dt.date | None = strawberry.field(default=None, name="from", description="From this day on.")
    to: dt.date | None = strawberry.field(default=None, description="Up to and with this day.")
