"""Mutations of the time log: add, change, delete, approve."""

import datetime as dt

import strawberry

from loaders.learner import LearnerLoader
from loaders.time_log_entry import TimeLogEntryLoader
from resolvers import time_log_entry as time_log
from schema.enums import ActivityType, JobSetting
from schema.field_builders import Id, attribute
from schema.payload import changed, changed_all, mutation, payload, removed, required
from schema.types.learner import Learner
from schema.types.time_log_entry import TimeLogEntry


@strawberry.input(description="What an entry of the time log says. A change says all of it again.")
class TimeLogEntryInput:
    learner_id: strawberry.ID = attribute("Whose learning it was; an entry never changes its learner.")
    date: dt.date = attribute("When the learning took place: today or earlier.")
    activity_type: ActivityType = attribute("What kind of learning it was.")
    job_setting: JobSetting | None = strawberry.field(
        default=None, description="On or off the job; the activity type's own where left out."
    )
    minutes: int = attribute("How long it took: 1 to 1,440, and 24 hours at most over all entries of the day.")
    aim_id: strawberry.ID | None = strawberry.field(
        default=None, description="The learner's aim that it was for, if any."
    )
    unit_id: strawberry.ID | None = strawberry.field(
        default=None, description="The unit of that aim that it was for, if any."
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="The assessor whom it was with; No Assessor where left out."
    )
    comments: str = attribute("What was learned, how, and what it changes in the job.")


@payload("The entry, changed.")
class TimeLogEntryPayload:
    time_log_entry: TimeLogEntry | None = changed(TimeLogEntryLoader, "The entry as it now is.")


@payload("What is left of an entry that was deleted.")
class TimeLogEntryDeletePayload:
    deleted_id: strawberry.ID | None = removed("TimeLogEntry", "The id of the deleted entry.", of="entry")
    learner: Learner | None = changed(LearnerLoader, "Whose entry it was, with the sums as they now are.", of="learner")


@payload("The entries, approved.")
class TimeLogEntryApprovePayload:
    time_log_entries: list[TimeLogEntry] = changed_all(
        TimeLogEntryLoader, "The entries as they now are, each once, in the order asked."
    )


@strawberry.type
class TimeLogEntryMutations:
    time_log_entry_add = mutation(
        TimeLogEntryPayload,
        time_log.add,
        "Logs learning, no matter how small.",
        input=required(TimeLogEntryInput, "The entry."),
    )
    time_log_entry_update = mutation(
        TimeLogEntryPayload,
        time_log.update,
        "Replaces what an entry says that is not approved yet.",
        id=Id,
        input=required(TimeLogEntryInput, "The whole entry."),
    )
    time_log_entry_delete = mutation(
        TimeLogEntryDeletePayload,
        time_log.delete,
        "Deletes an entry that is not approved and was not logged by a session.",
        id=Id,
    )
    time_log_entry_approve = mutation(
        TimeLogEntryApprovePayload,
        time_log.approve,
        "Approves entries, all or none; entries that are approved already stay so.",
        ids=required(list[strawberry.ID], "The entries' ids, at most 100."),
    )
