"""Mutations of actions: set, update, respond, complete, reopen."""

import datetime as dt

import strawberry

from loaders.action import ActionLoader
from loaders.learner import LearnerLoader
from loaders.session import SessionLoader
from resolvers import action as actions
from schema.enums import ActionKind
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, removed, required
from schema.types.action import Action
from schema.types.learner import Learner
from schema.types.session import Session


@strawberry.input(description="A task for a learner, to be done by a target date.")
class ActionSetInput:
    learner_id: strawberry.ID = attribute("The learner who does the action.")
    session_id: strawberry.ID | None = strawberry.field(
        default=None, description="The session in which the action is set, if any."
    )
    aim_id: strawberry.ID | None = strawberry.field(
        default=None, description="The aim (component of the programme) that the action is for, if any."
    )
    kind: ActionKind = attribute("Whether it is a single task or a piece of learning.")
    title: str = attribute("A short title: one line, up to 200 characters.")
    description: str = attribute("What the learner should do.")
    target_date: dt.date = attribute("The day by which it should be done: today or later.")
    accepts_evidence: bool | None = strawberry.field(
        default=None, description="Whether the learner can submit evidence for the action; false by default."
    )
    file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Files to attach, up to 20: files that the viewer has uploaded and not used yet, or files of the "
        "learner's record.",
    )


@strawberry.input(description="The changes of an action; omitted fields are not changed.")
class ActionUpdateInput:
    title: str | None = strawberry.field(
        default=strawberry.UNSET, description="A short title: one line, up to 200 characters."
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What the learner should do.")
    target_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The day by which it should be done: today or later."
    )
    add_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Files to add, up to 20: files that the viewer has uploaded and not used yet, or files of the "
        "learner's record.",
    )


@strawberry.input(description="The learner's response to an action.")
class ActionRespondInput:
    learner_feedback: str = attribute("What the learner did.")
    minutes_spent: int | None = strawberry.field(
        default=None, description="How long it took, 0 to 10,080 minutes; not changed if omitted."
    )


@payload("The result of a change of an action.")
class ActionPayload:
    action: Action | None = changed(ActionLoader, "The action after the change.")


@payload("The result of deleting an action.")
class ActionDeletePayload:
    deleted_id: strawberry.ID | None = removed("Action", "The id of the deleted action.", of="action")
    session: Session | None = changed(SessionLoader, "The session in which it was set; null without one.", of="session")
    learner: Learner | None = changed(LearnerLoader, "The learner for whom it was set.", of="learner")


@strawberry.type
class ActionMutations:
    action_set = mutation(
        ActionPayload,
        actions.set_,
        "Sets a learner an action, in a session or on its own.",
        input=required(ActionSetInput, "The action."),
    )
    action_update = mutation(
        ActionPayload,
        actions.update,
        "Changes an action that is not complete, and adds files to it.",
        id=Id,
        input=required(ActionUpdateInput, "The changes."),
    )
    action_respond = mutation(
        ActionPayload,
        actions.respond,
        "Records the learner's response to an action, and sets it to IN_PROGRESS. Only the assessor completes an "
        "action.",
        id=Id,
        input=required(ActionRespondInput, "The response."),
    )
    action_complete = mutation(
        ActionPayload, actions.complete, "Completes an action. Completing it again changes nothing.", id=Id
    )
    action_reopen = mutation(
        ActionPayload,
        actions.reopen,
        "Reopens a complete action: as IN_PROGRESS if the learner has responded, else as OUTSTANDING.",
        id=Id,
    )
    action_delete = mutation(
        ActionDeletePayload,
        actions.delete,
        "Deletes an action that should not have been set. An action for which evidence was submitted is completed "
        "instead.",
        id=Id,
        reason=required(str, "Why it is deleted. The reason is in the audit trail."),
    )
