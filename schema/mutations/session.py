"""Mutations of sessions: book, change, complete, cancel."""

import datetime as dt
from typing import Annotated

import strawberry

from loaders.session import SessionLoader
from resolvers import session as session_
from resolvers import session_completion
from schema.enums import SessionType
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
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


@strawberry.type(description="The session, changed.")
class SessionPayload:
    session: Session | None = attribute("The session as it now is.")
    errors: list[UserError] = errors_field()


@strawberry.type
class SessionMutations:
    @strawberry.mutation(
        description="Books a session: with the viewer, if they are an assessor, else with the assessor of the first "
        "aim. Nobody is booked twice for the same time. The learner is told by e-mail."
    )
    async def session_book(
        self, info: Info, input: Annotated[SessionBookInput, strawberry.argument(description="The session.")]
    ) -> SessionPayload:
        write = session_.book(info.context, **plain(input))
        return await answer(info, SessionPayload, write, session=lambda key, load: load[SessionLoader].load(key))

    @strawberry.mutation(
        description="Changes a planned session; files can be added afterwards too. Where it is moved, the "
        "learner is told by e-mail."
    )
    async def session_update(
        self, info: Info, id: Id, input: Annotated[SessionUpdateInput, strawberry.argument(description="What changes.")]
    ) -> SessionPayload:
        write = session_.update(info.context, id=id, changes=plain(input))
        return await answer(info, SessionPayload, write, session=lambda key, load: load[SessionLoader].load(key))

    @strawberry.mutation(
        description="Completes a session. Attended, its time is logged by itself, once however often this is sent; an "
        "induction moves its aims to IN_TRAINING."
    )
    async def session_complete(
        self,
        info: Info,
        id: Id,
        input: Annotated[SessionCompleteInput, strawberry.argument(description="The outcome.")],
    ) -> SessionPayload:
        write = session_completion.complete(info.context, id=id, **plain(input))
        return await answer(info, SessionPayload, write, session=lambda key, load: load[SessionLoader].load(key))

    @strawberry.mutation(description="Calls a planned session off; cancelling again changes nothing.")
    async def session_cancel(self, info: Info, id: Id) -> SessionPayload:
        write = session_.cancel(info.context, id=id)
        return await answer(info, SessionPayload, write, session=lambda key, load: load[SessionLoader].load(key))
