"""Mutations of breaks in learning: begin, update, end."""

import datetime as dt

import strawberry

from resolvers import aim_break
from schema.enums import BreakReason
from schema.field_builders import Id, argument, attribute
from schema.mutations.learner import LearnerPayload
from schema.payload import mutation, required


@strawberry.input(description="A break in learning of one or more aims of one learner.")
class BreakBeginInput:
    aim_ids: list[strawberry.ID] = attribute("The aims that are on a break: in training, all of one learner.")
    start_date: dt.date = attribute("The first day of the break, today or earlier.")
    expected_return_date: dt.date | None = strawberry.field(
        default=None, description="The day on which the learner is expected back, if it is known."
    )
    reason: BreakReason = attribute("Why the learner is on a break.")
    note: str | None = strawberry.field(default=None, description="What else is to be known about it.")


@strawberry.input(description="Corrections of a break in learning; omitted fields are not changed.")
class BreakUpdateInput:
    start_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The first day of the break, today or earlier."
    )
    expected_return_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The day on which the learner is expected back; null if it is not known."
    )
    returned_on: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The first day back in training, today or earlier; null if the learner has not returned after all.",
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="What else is to be known about it; null removes the note."
    )


@strawberry.type
class BreakMutations:
    break_begin = mutation(
        LearnerPayload,
        aim_break.begin,
        "Begins a break in learning and suspends its aims. It may be dated back; all numbers follow. Breaks of one aim "
        "never overlap.",
        input=required(BreakBeginInput, "The break."),
    )
    break_update = mutation(
        LearnerPayload,
        aim_break.update,
        "Corrects a break in learning, also one that has ended.",
        id=Id,
        input=required(BreakUpdateInput, "The corrections."),
    )
    break_end = mutation(
        LearnerPayload,
        aim_break.end,
        "Ends a break in learning: its aim is in training again.",
        id=Id,
        returned_on=required(dt.date, "The first day back in training, today or earlier."),
        planned_end_date=argument(dt.date, "The new planned end of the aim; the planned end stays if it is omitted."),
    )
