"""Mutations of aims: add and update, choose units, agree hours, and change the version."""

import datetime as dt
from typing import Annotated

import strawberry

from loaders.aim import AimLoader
from loaders.learner import LearnerLoader
from resolvers.aim import hours, programme, units, version
from schema.enums import AimOutcome, AimStatus
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.aim import Aim
from schema.types.learner import Learner


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
    original_start_date: dt.date | None = strawberry.field(
        default=None,
        description="The day on which the learner first began, if that was before the start date, such as at an "
        "earlier provider.",
    )


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
    reason: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Why the status changes or the start date is corrected; required for a start date. It is kept in "
        "`Aim.statusHistory` or `Aim.startDateReason`.",
    )
    start_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET, description="The right first day, where a wrong one was recorded; with a reason."
    )
    original_start_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The day on which the learner first began, at the latest the start date; null if it is the start "
        "date.",
    )
    outcome: AimOutcome | None = strawberry.field(
        default=strawberry.UNSET,
        description="The result of a completed or withdrawn aim; null removes it. It goes when the aim continues.",
    )


@strawberry.input(
    description="One step of the map between versions: what was reached in one criterion of the aim's "
    "version is carried to a criterion of the new version."
)
class CriterionMapInput:
    from_unit_number: str = attribute("The number of the unit in the aim's version, such as 7.")
    from_code: str = attribute("The code of the criterion in that unit, such as 1.1.")
    to_unit_number: str = attribute("The number of the unit in the new version.")
    to_code: str = attribute("The code of the criterion in that unit.")


@strawberry.input(description="Another version of the qualification of an aim, and how the criteria correspond.")
class AimVersionChangeInput:
    qualification_id: strawberry.ID = attribute("The new version: a qualification with the same reference, or title.")
    criterion_map: list[CriterionMapInput] = attribute(
        "Which old criteria correspond to which new ones. A criterion may have several successors, and several may "
        "have one. What was reached in a criterion without a successor stays readable and counts nowhere."
    )


@payload("The result of a change of an aim.")
class AimPayload:
    aim: Aim | None = changed(AimLoader, "The aim after the change; null if the viewer no longer sees it.")
    learner: Learner | None = changed(
        LearnerLoader, "The learner of the aim; null if the viewer no longer sees them.", of="learner"
    )


@strawberry.type
class AimMutations:
    aim_add = mutation(
        AimPayload,
        programme.add,
        "Adds an aim to a learner's programme. Its status is AWAITING_INDUCTION.",
        input=required(AimAddInput, "The aim."),
    )
    aim_update = mutation(
        AimPayload,
        programme.update,
        "Changes the status, the people or the dates of an aim.",
        id=Id,
        input=required(AimUpdateInput, "The changes."),
    )
    hours_agree = mutation(
        AimPayload,
        hours.agree,
        "Records the off-the-job minutes that were agreed for an aim, and the prior learning that reduces them.",
        aim_id=required(strawberry.ID, "The aim."),
        planned_minutes=required(int, "The minutes that were agreed, before prior learning is taken off."),
        prior_learning_minutes=Annotated[
            int, strawberry.argument(description="Minutes of the programme that the learner had learned before.")
        ],
        defaults={"prior_learning_minutes": 0},
    )
    aim_version_change = mutation(
        AimPayload,
        version.change,
        "Moves an aim to another version of the same qualification. The map carries what was reached from old criteria "
        "to new ones; signatures on units are withdrawn, because they confirm the old words.",
        id=Id,
        input=required(AimVersionChangeInput, "The version and the map."),
    )
    aim_units_choose = mutation(
        AimPayload,
        units.choose,
        "Chooses the optional units that count for the learner, in place of those that were chosen before. What was "
        "reached in a unit that is no longer chosen is kept.",
        id=Id,
        unit_ids=required(list[strawberry.ID], "The ids of the chosen units. Mandatory units need no choice."),
    )
