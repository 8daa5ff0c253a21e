"""Mutations of actions: set, change, respond, complete, reopen."""

import datetime as dt
from typing import Annotated

import strawberry

from loaders.action import ActionLoader
from resolvers import action as action_
from schema.enums import ActionKind
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
from schema.types.action import Action


@strawberry.input(description="Something for a learner to do by a day.")
class ActionSetInput:
    learner_id: strawberry.ID = attribute("Who is to do it.")
    session_id: strawberry.ID | None = strawberry.field(
        default=None, description="The learner's session that it is set in."
    )
    aim_id: strawberry.ID | None = strawberry.field(default=None, description="The learner's aim that it is for.")
    kind: ActionKind = attribute("A single thing to do, or a piece of learning.")
    title: str = attribute("What it is, in a line of 200 characters at most.")
    description: str = attribute("What is to be done.")
    target_date: dt.date = attribute("By when: today or later.")
    accepts_evidence: bool | None = strawberry.field(
        default=None, description="Whether evidence can be submitted straight from it; not where left out."
    )
    file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Its files, at most 20 at once: uploaded by the viewer and not used yet, or the learner's own.",
    )


@strawberry.input(description="What changes in an action; what is left out stays.")
class ActionUpdateInput:
    title: str | None = strawberry.field(default=strawberry.UNSET, description="What it is.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What is to be done.")
    target_date: dt.date | None = strawberry.field(default=strawberry.UNSET, description="By when: today or later.")
    add_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Files to add, at most 20 at once: uploaded by the viewer and not used yet, or the learner's own.",
    )


@strawberry.input(description="The learner's answer to an action.")
class ActionRespondInput:
    learner_feedback: str = attribute("What was done.")
    minutes_spent: int | None = strawberry.field(
        default=None, description="How long it took, 0 to 10,080; as before where left out."
    )


@strawberry.type(description="The action, changed.")
class ActionPayload:
    action: Action | None = attribute("The action as it now is.")
    errors: list[UserError] = errors_field()


@strawberry.type
class ActionMutations:
    @strawberry.mutation(description="Sets an action, in a session or by itself.")
    async def action_set(
        self, info: Info, input: Annotated[ActionSetInput, strawberry.argument(description="The action.")]
    ) -> ActionPayload:
        write = action_.set_(info.context, **plain(input))
        return await answer(info, ActionPayload, write, action=lambda key, load: load[ActionLoader].load(key))

    @strawberry.mutation(description="Changes an action that is not complete, and adds files to it.")
    async def action_update(
        self, info: Info, id: Id, input: Annotated[ActionUpdateInput, strawberry.argument(description="What changes.")]
    ) -> ActionPayload:
        write = action_.update(info.context, id=id, changes=plain(input))
        return await answer(info, ActionPayload, write, action=lambda key, load: load[ActionLoader].load(key))

    @strawberry.mutation(description="The learner's side of an action: feedback, time spent, and on to IN_PROGRESS.")
    async def action_respond(
        self, info: Info, id: Id, input: Annotated[ActionRespondInput, strawberry.argument(description="The answer.")]
    ) -> ActionPayload:
        write = action_.respond(info.context, id=id, **plain(input))
        return await answer(info, ActionPayload, write, action=lambda key, load: load[ActionLoader].load(key))

    @strawberry.mutation(description="Completes and closes an action; completing again changes nothing.")
    async def action_complete(self, info: Info, id: Id) -> ActionPayload:
        write = action_.complete(info.context, id=id)
        return await answer(info, ActionPayload, write, action=lambda key, load: load[ActionLoader].load(key))

    @strawberry.mutation(
        description="Opens a complete action again: IN_PROGRESS where the learner has responded, else OUTSTANDING."
    )
    async def action_reopen(self, info: Info, id: Id) -> ActionPayload:
        write = action_.reopen(info.context, id=id)
        return await answer(info, ActionPayload, write, action=lambda key, load: load[ActionLoader].load(key))
