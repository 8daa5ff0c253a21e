"""Breaks in learning, and the history of the status of an aim."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.aim import AimLoader
from loaders.aim_break import AimStatusChangeRow, BreakRow
from schema.enums import AimStatus, BreakReason
from schema.field_builders import attribute, loaded, person
from schema.relay import Node, node, value
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.aim import Aim


@node(
    BreakRow,
    "A break in learning: time in which the learner of an aim is not in training, such as an illness. Its days count "
    "in no duration, and nothing that falls due in it is overdue while it lasts.",
)
class Break(Node):
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] = loaded(
        "The aim that is on a break.", AimLoader, by="aim_key"
    )
    start_date: dt.date = attribute("The first day of the break.")
    expected_return_date: dt.date | None = attribute(
        "The day on which the learner is expected back; null if it is not known."
    )
    returned_on: dt.date | None = attribute(
        "The first day back in training; the break ends the day before. Null until the learner has returned."
    )
    reason: BreakReason = attribute("Why the learner is on a break.")
    note: str | None = attribute("What else is to be known about it; null if nothing was written.")
    viewer_actions: list[ViewerAction] = viewer_actions("Break")


@value(AimStatusChangeRow, "One change of the status of an aim.")
class AimStatusChange:
    status: AimStatus = attribute("The status that the aim got.")
    from_: dt.date = strawberry.field(
        resolver=lambda root: root.from_date, name="from", description="The first day on which it has this status."
    )
    changed_by: User | None = person(
        "The user who changed it; null if that was not recorded, before the first release with this history.",
        "changed_by_key",
    )
    changed_at: dt.datetime = attribute("When the change was recorded.")
    reason: str | None = attribute("Why it was changed; null if no reason was given.")
