"""Mutations of sessions: book, update, complete, cancel."""

import datetime as dt

import strawberry

from loaders.session import SessionLoader
from resolvers.session import booking, completion, group, reopening
from schema.enums import SessionType
from schema.field_builders import Id, attribute
from schema.payload import changed, changed_all, mutation, payload, required
from schema.types.session import Session


@strawberry.input(description="A session: a meeting of a learner and an assessor.")
class SessionBookInput:
    learner_id: strawberry.ID = attribute("The learner, in whose learning plan the session is shown.")
    type: SessionType = attribute("The purpose of the session.")
    starts_at: dt.datetime = attribute("When it starts, with a time zone: within the last year or the next five years.")
    ends_at: dt.datetime = attribute("When it ends, with a time zone: within 24 hours after the start.")
    location: str | None = strawberry.field(
        default=None, description="Where it takes place: one line, up to 200 characters."
    )
    aim_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The learner's aims that the session is about, if any."
    )
    planning_notes: str | None = strawberry.field(default=None, description="What to prepare for the session.")


@strawberry.input(description="The changes of a session; omitted fields are not changed.")
class SessionUpdateInput:
    type: SessionType | None = strawberry.field(default=strawberry.UNSET, description="The purpose of the session.")
    starts_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it starts, with a time zone."
    )
    ends_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it ends, with a time zone."
    )
    location: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where it takes place; null removes the location."
    )
    planning_notes: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to prepare for the session; null removes the notes."
    )
    feedback: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Feedback about the session, for the learner, also after it was completed; null removes it.",
    )
    add_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Files to attach, up to 20: files that the viewer has uploaded and not used yet, or files of the "
        "learner's record.",
    )


@strawberry.input(description="Whether a session took place.")
class SessionCompleteInput:
    attended: bool = attribute(
        "True if the session took place, which logs its time; false if the learner did not attend."
    )
    feedback: str | None = strawberry.field(default=None, description="Feedback about the session, for the learner.")
    file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Files to attach, up to 20: files that the viewer has uploaded and not used yet, or files of the "
        "learner's record.",
    )
    minutes: int | None = strawberry.field(
        default=None,
        description="How long it took; the planned length by default. Never more than has passed since it began.",
    )


@strawberry.input(
    description="Sessions of a group: the same time, place and assessor, one session in each learner's plan."
)
class SessionBookManyInput:
    learner_ids: list[strawberry.ID] = attribute("The learners of the group, 1 to 100.")
    type: SessionType = attribute("The purpose of the session.")
    starts_at: dt.datetime = attribute("When it starts, with a time zone: within the last year or the next five years.")
    ends_at: dt.datetime = attribute("When it ends, with a time zone: within 24 hours after the start.")
    location: str | None = strawberry.field(
        default=None, description="Where it takes place: one line, up to 200 characters."
    )
    planning_notes: str | None = strawberry.field(default=None, description="What to prepare for the session.")
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="By an admin: whose session it is; the assessor of the first aim if it is omitted. An assessor "
        "books their own sessions.",
    )
    aim_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The aims that it is about, if any: each belongs to the session of its learner."
    )


@strawberry.input(description="One line of the register of a group.")
class AttendanceInput:
    session_id: strawberry.ID = attribute("The learner's session of the group.")
    attended: bool = attribute("True if the learner attended, which logs the time; false if not.")
    feedback: str | None = strawberry.field(default=None, description="Feedback about the session, for the learner.")
    minutes: int | None = strawberry.field(
        default=None,
        description="How long the learner attended; the planned length by default. Never more than has passed since it "
        "began.",
    )


@payload("The result of a change of sessions of a group.")
class SessionsPayload:
    sessions: list[Session] = changed_all(SessionLoader, "The sessions after the change.")


@payload("The result of a change of a session.")
class SessionPayload:
    session: Session | None = changed(SessionLoader, "The session after the change.")


@strawberry.type
class SessionMutations:
    session_book = mutation(
        SessionPayload,
        booking.book,
        "Books a session with the viewer, if they are an assessor, else with the assessor of the first aim. The "
        "learner and the assessor must be free at that time. The learner gets an e-mail.",
        input=required(SessionBookInput, "The session."),
    )
    session_book_many = mutation(
        SessionsPayload,
        group.book_many,
        "Books a session for each learner of a group, all or none. Everybody must be free at that time; the sessions "
        "of the group do not clash with each other. Each learner gets an e-mail.",
        input=required(SessionBookManyInput, "The sessions."),
    )
    session_complete_many = mutation(
        SessionsPayload,
        group.complete_many,
        "The register of a group: records who attended, all lines or none. It may be filled in parts.",
        group_id=required(strawberry.ID, "`Session.groupId` of the group."),
        attendances=required(list[AttendanceInput], "The lines of the register."),
    )
    session_update = mutation(
        SessionPayload,
        booking.update,
        "Changes a planned session, the feedback of a completed one, or adds files to any session. The learner gets an "
        "e-mail with the old and the new time.",
        id=Id,
        input=required(SessionUpdateInput, "The changes."),
    )
    session_complete = mutation(
        SessionPayload,
        completion.complete,
        "Records whether a session took place. An attended session is logged in the time log automatically, once; an "
        "attended induction starts the learner's aims.",
        id=Id,
        input=required(SessionCompleteInput, "The outcome."),
    )
    session_reopen = mutation(
        SessionPayload,
        reopening.reopen,
        "Plans a session again that was completed or cancelled by mistake. The time that it logged is deleted, and "
        "aims that an induction started wait for it again; feedback and files stay.",
        id=Id,
        reason=required(str, "Why it is reopened. The reason is in the audit trail."),
    )
    session_cancel = mutation(
        SessionPayload,
        booking.cancel,
        "Cancels a planned session. The learner gets an e-mail. Cancelling it again changes nothing.",
        id=Id,
    )
