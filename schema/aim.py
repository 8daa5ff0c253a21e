"""Aims: the components of a learner's programme."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.aim import AimRow
from schema.enums import AimStatus, TrafficLight
from schema.fields import attribute, related
from schema.node import Node, node
from schema.progress import Progress
from schema.qualification import Qualification
from schema.unit import Unit
from schema.user import User

if TYPE_CHECKING:
    from schema.learner import Learner


@node(AimRow, "One component of a learner's programme, such as a standard, a diploma or a functional skill (ILR: learning aim).")
class Aim(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.learner")] = related(
        "Whose it is.", lambda row, load: load.learner.load(row.learner_key)
    )
    qualification: Qualification = related(
        "What it is measured against, in the version that it is pinned to.",
        lambda row, load: load.qualification.load(row.qualification_key),
    )
    title: str = attribute("The qualification's title.")
    status: AimStatus = attribute("Where the learner stands in it.")
    assessor: User | None = attribute("The assessor (training adviser); null until there is one.")
    iqa: User | None = attribute("The internal quality assurer; null until there is one.")
    start_date: dt.date = attribute("The first day.")
    planned_end_date: dt.date = attribute("The expected last day, which still counts.")
    actual_end_date: dt.date | None = attribute("The day on which it ended; null until then.")
    progress: Progress = attribute("The three bars.")
    traffic_light: TrafficLight = attribute(
        "Mapped percent less duration percent: at or below minus the provider's tolerance OFF_TRACK, at or above it AHEAD."
    )
    units: list[Unit] = related(
        "Its units in order. The progress map (gap analysis) is `units { criteria(filter:) }`.",
        lambda row, load: load.units_of_aim.load(row.key),
    )
