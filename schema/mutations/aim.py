"""Mutations of aims: add and update."""

import datetime as dt

import strawberry

from loaders.aim import AimLoader
from resolvers import aim as aims
from schema.enums import AimStatus
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.aim import Aim


@strawberry.input(description="A component to add to a learner's programme.")
class AimAddInput:
    learner_id: strawberry.ID = attribute("Whose programme.")
    qualification_id: strawberry.ID = attribute("The qualification version that the aim is pinned to.")
    assessor_id: strawberry.ID = attribute("Any assessor of the provider: from then on they see the aim.")
    iqa_id: strawberry.ID | None = strawberry.field(default=None, description="An IQA, who is not the assessor.")
    start_date: dt.date = attribute("The first day.")
    planned_end_date: dt.date = attribute("The expected last day, which still counts; not before the start.")


@strawberry.input(description="What to change of an aim; what is left out stays.")
class AimUpdateInput:
    status: AimStatus | None = strawberry.field(
        default=strawberry.UNSET,
        description="From AWAITING_INDUCTION to IN_TRAINING or WITHDRAWN; from IN_TRAINING to SUSPENDED, COMPLETED or "
        "WITHDRAWN; from SUSPENDED to IN_TRAINING, COMPLETED or WITHDRAWN; an aim that has ended goes back to IN_TRAINING.",
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Another assessor; the one so far sees the aim no more."
    )
    iqa_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Another IQA, who is not the assessor; null for none."
    )
    planned_end_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The expected last day; not before the start."
    )
    actual_end_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The day on which it was completed or withdrawn, today at the latest; today where left out.",
    )


@payload("The aim, changed.")
class AimPayload:
    aim: Aim | None = changed(
        AimLoader, "The aim as it now is; null where the change took it out of the viewer's sight."
    )


@strawberry.type
class AimMutations:
    aim_add = mutation(
        AimPayload,
        aims.add,
        "Adds a component to a learner's programme, awaiting its induction.",
        input=required(AimAddInput, "The component."),
    )
    aim_update = mutation(
        AimPayload,
        aims.update,
        "Changes where a learner stands in a component, who assesses it, or when it ends.",
        id=Id,
        input=required(AimUpdateInput, "What to change."),
    )
