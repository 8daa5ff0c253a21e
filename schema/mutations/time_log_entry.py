"""Mutations of the time log: add, update, delete, approve."""

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


@strawberry.input(description="An entry of the time log. An update replaces all fields.")
class TimeLogEntryInput:
    learner_id: strawberry.ID = attribute("The learner. It cannot be changed.")
    date: dt.date = attribute("The day on which the learning took place: today or earlier.")
    activity_type: ActivityType = attribute("The kind of learning.")
    job_setting: JobSetting | None = strawberry.field(
        default=None, description="On or off the job; by default that of the activity type."
    )
    minutes: int = attribute("How long it took, 1 to 1,440 minutes; all entries of a day add up to 24 hours or less.")
    aim_id: strawberry.ID | None = strawberry.field(
        default=None, description="The learner's aim that the learning was for, if any."
    )
    unit_id: strawberry.ID | None = strawberry.field(
        default=None, description="The unit of the aim that the learning was for, if any."
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="The assessor who was involved; omitted for No Assessor."
    )
    comments: str = attribute("What was learned, how, and how it affects the job.")


@payload("The result of a change of an entry.")
class TimeLogEntryPayload:
    time_log_entry: TimeLogEntry | None = changed(TimeLogEntryLoader, "The entry after the change.")


@payload("The result of deleting an entry.")
class TimeLogEntryDeletePayload:
    deleted_id: strawberry.ID | None = removed("TimeLogEntry", "The id of the deleted entry.", of="entry")
    learner: Learner | None = changed(LearnerLoader, "The learner, with the sums after the deletion.", of="learner")


@payload("The result of approving or confirming entries.")
class TimeLogEntryApprovePayload:
    time_log_entries: list[TimeLogEntry] = changed_all(
        TimeLogEntryLoader, "The entries after the change, each once, in the order of the ids."
    )


@strawberry.type
class TimeLogEntryMutations:
    time_log_entry_add = mutation(
        TimeLogEntryPayload,
        time_log.add,
        "Adds an entry to a learner's time log.",
        input=required(TimeLogEntryInput, "The entry."),
    )
    time_log_entry_update = mutation(
        TimeLogEntryPayload,
        time_log.update,
        "Replaces all fields of an entry that is not approved yet.",
        id=Id,
        input=required(TimeLogEntryInput, "The complete entry."),
    )
    time_log_entry_delete = mutation(
        TimeLogEntryDeletePayload,
        time_log.delete,
        "Deletes an entry that is not approved and was not logged automatically by a session.",
        id=Id,
    )
    time_log_entry_approve = mutation(
        TimeLogEntryApprovePayload,
        time_log.approve,
        "Approves entries, all or none. Approving one again changes nothing.",
        ids=required(list[strawberry.ID], "The ids of the entries, up to 100."),
    )
    time_log_entry_unapprove = mutation(
        TimeLogEntryApprovePayload,
        time_log.unapprove,
        "Takes the approval of entries back, all or none, so that they can be changed. Repeating it changes nothing.",
        ids=required(list[strawberry.ID], "The ids of the entries, up to 100."),
    )
    time_log_entry_confirm = mutation(
        TimeLogEntryApprovePayload,
        time_log.confirm,
        "Confirms, as the learner's employer, that the learning took place; all entries or none. Confirming one again "
        "changes nothing.",
        ids=required(list[strawberry.ID], "The ids of the entries, up to 100."),
    )
