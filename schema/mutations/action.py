"""Mutations of actions: set, change, respond, complete, reopen."""

import datetime as dt

import strawberry

from loaders.action import ActionLoader
from resolvers import action as actions
from schema.enums import ActionKind
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
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


@payload("The action, changed.")
class ActionPayload:
    action: Action | None = changed(ActionLoader, "The action as it now is.")


@strawberry.type
class ActionMutations:
    action_set = mutation(
        ActionPayload,
        actions.set_,
        "Sets an action, in a session or by itself.",
        input=required(ActionSetInput, "The action."),
    )
    action_update = mutation(
        ActionPayload,
        actions.update,
        "Changes an action that is not complete, and adds files to it.",
        id=Id,
        input=required(ActionUpdateInput, "What changes."),
    )
    action_respond = mutation(
        ActionPayload,
        actions.respond,
        "The learner's side of an action: feedback, time spent, and on to IN_PROGRESS.",
        id=Id,
        input=required(ActionRespondInput, "The answer."),
    )
    action_complete = mutation(
        ActionPayload, actions.complete, "Completes and closes an action; completing again changes nothing.", id=Id
    )
    action_reopen = mutation(
        ActionPayload,
        actions.reopen,
        "Opens a complete action again: IN_PROGRESS where the learner has responded, else OUTSTANDING.",
        id=Id,
    )
