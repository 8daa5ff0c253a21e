"""Mutations of aims: add and update."""

import datetime as dt

import strawberry

from loaders.aim import AimLoader
from resolvers import aim as aims
from schema.enums import AimStatus
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.aim import Aim


@strawberry.input(
    description="An aim: one component of a learner's programme, such as an apprenticeship standard, a diploma or "
    "functional skills."
)
class AimAddInput:
    learner_id: strawberry.ID = attribute("The learner to whose programme the aim is added.")
    qualification_id: strawberry.ID = attribute("The version of the qualification that the learner works towards.")
    assessor_id: strawberry.ID = attribute("The assessor, who sees the learner through this aim.")
    iqa_id: strawberry.ID | None = strawberry.field(
        default=None, description="The person who checks the assessor's decisions (IQA), never the assessor."
    )
    start_date: dt.date = attribute("The first day of the aim.")
    planned_end_date: dt.date = attribute("The planned last day, which is included; the start date or later.")


@strawberry.input(description="The changes of an aim; omitted fields are not changed.")
class AimUpdateInput:
    status: AimStatus | None = strawberry.field(
        default=strawberry.UNSET,
        description="The new status. Allowed: AWAITING_INDUCTION to IN_TRAINING or WITHDRAWN; IN_TRAINING to "
        "SUSPENDED, COMPLETED or WITHDRAWN; SUSPENDED to IN_TRAINING, COMPLETED or WITHDRAWN; COMPLETED or WITHDRAWN "
        "to IN_TRAINING.",
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The new assessor. The previous one no longer sees the aim."
    )
    iqa_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The new IQA, never the assessor; null removes the IQA."
    )
    planned_end_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The planned last day; the start date or later."
    )
    actual_end_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The day on which it was completed or withdrawn, from the start date to today; today by default.",
    )


@payload("The result of a change of an aim.")
class AimPayload:
    aim: Aim | None = changed(AimLoader, "The aim after the change; null if the viewer no longer sees it.")


@strawberry.type
class AimMutations:
    aim_add = mutation(
        AimPayload,
        aims.add,
        "Adds an aim to a learner's programme. Its status is AWAITING_INDUCTION.",
        input=required(AimAddInput, "The aim."),
    )
    aim_update = mutation(
        AimPayload,
        aims.update,
        "Changes the status, the people or the dates of an aim.",
        id=Id,
        input=required(AimUpdateInput, "The changes."),
    )
