"""Mutations of the time log: add, change, delete, approve."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from domain import global_id as ids_
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.time_log_entry import TimeLogEntryLoader
from resolvers import time_log_entry as time_log_entry_
from resolvers.time_log_entry import Deleted
from schema.enums import ActivityType, JobSetting
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
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


@strawberry.type(description="The entry, changed.")
class TimeLogEntryPayload:
    time_log_entry: TimeLogEntry | None = attribute("The entry as it now is.")
    errors: list[UserError] = errors_field()


@strawberry.type(description="What is left of an entry that was deleted.")
class TimeLogEntryDeletePayload:
    deleted_id: strawberry.ID | None = attribute("The entry's id, which names nothing any more.")
    learner: Learner | None = attribute("Whose entry it was, with the sums as they now are.")
    errors: list[UserError] = errors_field()


@strawberry.type(description="The entries, approved.")
class TimeLogEntryApprovePayload:
    time_log_entries: list[TimeLogEntry] = attribute("The entries as they now are, each once, in the order asked.")
    errors: list[UserError] = errors_field()


async def _deleted_id(deleted: Deleted, _: Loaders) -> str:
    return ids_.encode("TimeLogEntry", deleted["entry"])


def _words(input: TimeLogEntryInput) -> dict[str, Any]:
    """The learner apart from what is said of their learning."""
    entry = plain(input)
    return {"learner_id": entry.pop("learner_id"), "entry": entry}


@strawberry.type
class TimeLogEntryMutations:
    @strawberry.mutation(description="Logs learning, no matter how small.")
    async def time_log_entry_add(
        self, info: Info, input: Annotated[TimeLogEntryInput, strawberry.argument(description="The entry.")]
    ) -> TimeLogEntryPayload:
        write = time_log_entry_.add(info.context, **_words(input))
        return await answer(
            info, TimeLogEntryPayload, write, time_log_entry=lambda key, load: load[TimeLogEntryLoader].load(key)
        )

    @strawberry.mutation(description="Makes an entry that is not approved say what is given.")
    async def time_log_entry_update(
        self,
        info: Info,
        id: Id,
        input: Annotated[TimeLogEntryInput, strawberry.argument(description="The whole entry.")],
    ) -> TimeLogEntryPayload:
        write = time_log_entry_.update(info.context, id=id, **_words(input))
        return await answer(
            info, TimeLogEntryPayload, write, time_log_entry=lambda key, load: load[TimeLogEntryLoader].load(key)
        )

    @strawberry.mutation(description="Deletes an entry that is not approved and that no session has logged.")
    async def time_log_entry_delete(self, info: Info, id: Id) -> TimeLogEntryDeletePayload:
        write = time_log_entry_.delete(info.context, id=id)
        return await answer(
            info, TimeLogEntryDeletePayload, write,
            deleted_id=_deleted_id, learner=lambda deleted, load: load[LearnerLoader].load(deleted["learner"]),
        )  # fmt: skip

    @strawberry.mutation(description="Approves entries, all or none; what is approved already stays so.")
    async def time_log_entry_approve(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The entries' ids, at most 100.")],
    ) -> TimeLogEntryApprovePayload:
        write = time_log_entry_.approve(info.context, entry_ids=ids)
        return await answer(
            info, TimeLogEntryApprovePayload, write,
            time_log_entries=lambda keys, load: load[TimeLogEntryLoader].load_many(keys),
        )  # fmt: skip
