"""Mutations of sessions: book, change, complete, cancel."""

import datetime as dt

import strawberry

from loaders.session import SessionLoader
from resolvers import session as sessions
from resolvers import session_completion
from schema.enums import SessionType
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.session import Session


@strawberry.input(description="A session to put into a learner's plan.")
class SessionBookInput:
    learner_id: strawberry.ID = attribute("Whose plan it goes into.")
    type: SessionType = attribute("What it is for.")
    starts_at: dt.datetime = attribute("When it starts, with its time zone.")
    ends_at: dt.datetime = attribute("When it ends: after the start, within 24 hours.")
    location: str | None = strawberry.field(default=None, description="Where, in a line of 200 characters at most.")
    aim_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The learner's aims that it is about; none in particular where left out."
    )
    planning_notes: str | None = strawberry.field(default=None, description="What to prepare.")


@strawberry.input(description="What changes in a session; what is left out stays, and null empties a text.")
class SessionUpdateInput:
    type: SessionType | None = strawberry.field(default=strawberry.UNSET, description="What it is for.")
    starts_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="When it starts.")
    ends_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="When it ends.")
    location: str | None = strawberry.field(default=strawberry.UNSET, description="Where; null for no place.")
    planning_notes: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to prepare; null for nothing."
    )
    add_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Files to save to it, 20 at most: uploaded by the viewer and not used yet, or the learner's own.",
    )


@strawberry.input(description="Whether a session took place.")
class SessionCompleteInput:
    attended: bool = attribute("True: it took place, and its time is logged. False: the learner was not there.")
    feedback: str | None = strawberry.field(default=None, description="What came of it, for the learner.")
    file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Files to save to it, 20 at most: uploaded by the viewer and not used yet, or the learner's own.",
    )


@payload("The session, changed.")
class SessionPayload:
    session: Session | None = changed(SessionLoader, "The session as it now is.")


@strawberry.type
class SessionMutations:
    session_book = mutation(
        SessionPayload,
        sessions.book,
        "Books a session: with the viewer, if they are an assessor, else with the assessor of the first aim that it is "
        "about. Learner and assessor are free at that time; the learner is notified by e-mail.",
        input=required(SessionBookInput, "The session."),
    )
    session_update = mutation(
        SessionPayload,
        sessions.update,
        "Changes a planned session; files can be added afterwards too. Where it is moved, the learner is notified by "
        "e-mail.",
        id=Id,
        input=required(SessionUpdateInput, "What changes."),
    )
    session_complete = mutation(
        SessionPayload,
        session_completion.complete,
        "Completes a session. When it was attended its time is logged automatically, once however often this is sent; an "
        "induction starts the learner's aims.",
        id=Id,
        input=required(SessionCompleteInput, "The outcome."),
    )
    session_cancel = mutation(
        SessionPayload, sessions.cancel, "Cancels a planned session; cancelling again changes nothing.", id=Id
    )
