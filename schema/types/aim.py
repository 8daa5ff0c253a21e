"""Aims: the components of a learner's programme."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.enums import ResourceBucket
from loaders.aim import AimRow
from loaders.learner import LearnerLoader
from loaders.qualification import QualificationLoader
from loaders.resource import AimResourcesLoader, ResourceCountLoader, ResourceRow
from loaders.unit import UnitsOfAimLoader
from resolvers import signed_urls as link
from schema.enums import AimStatus, CriterionFilter, TrafficLight
from schema.field_builders import Info, attribute, loaded, person, related
from schema.relay import Node, node, record
from schema.types.file import Download
from schema.types.progress import Progress
from schema.types.qualification import Qualification
from schema.types.resource import Resource
from schema.types.unit import Unit
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.learner import Learner


async def _material(row: AimRow, load, bucket: ResourceBucket) -> list[ResourceRow]:
    return [material for material in await load[AimResourcesLoader].load(row.key) if material.bucket is bucket]


@node(
    AimRow,
    "One component of a learner's programme, such as a standard, a diploma or a functional skill (ILR: learning aim).",
)
class Aim(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "Whose it is.", LearnerLoader, by="learner_key"
    )
    qualification: Qualification = loaded(
        "What it is measured against, in the version that it is pinned to.",
        QualificationLoader,
        by="qualification_key",
    )
    title: str = attribute("The qualification's title.")
    status: AimStatus = attribute("Where the learner stands in it.")
    assessor: User | None = attribute("The assessor (training adviser); null until there is one.")
    iqa: User | None = person("The internal quality assurer; null until there is one.", "iqa_key")
    start_date: dt.date = attribute("The first day.")
    planned_end_date: dt.date = attribute("The expected last day [001], which still counts.")
    actual_end_date: dt.date | None = attribute("The day on which it ended; null until then.")
    progress: Progress = attribute("The three bars.")
    traffic_light: TrafficLight = attribute(
        "Mapped percent less duration percent [000]: at or below minus the provider's tolerance OFF_TRACK, at or above "
        "it AHEAD."
    )
    units: list[Unit] = loaded(
        "Its units in order. The progress map (gap analysis) is `units { criteria(filter:) }`.",
        UnitsOfAimLoader,
    )
    resources: list[Resource] = related(
        "Its resources, the oldest first.", lambda row, load: _material(row, load, ResourceBucket.RESOURCES)
    )
    resource_count: int = loaded(
        "How many resources it has: the number on the Resources icon.",
        ResourceCountLoader,
    )
    files: list[Resource] = related(
        "Files from Course, the oldest first.", lambda row, load: _material(row, load, ResourceBucket.FILES_FROM_COURSE)
    )

    @strawberry.field(description="The filtered progress map as a PDF, as it is at the moment it is opened.")
    def progress_map_export(
        root: AimRow,
        info: Info,
        filter: Annotated[
            CriterionFilter | None, strawberry.argument(description="Which criteria.")
        ] = CriterionFilter.ALL,
    ) -> Download:
        return link.to_progress_map(info.context, root.key, filter)  # type: ignore[return-value]

    @strawberry.field(description="Record of Achievement as a PDF: each unit, when it was completed, who signed.")
    def record_of_achievement_export(root: AimRow, info: Info) -> Download:
        return link.to_record_of_achievement(info.context, root.key)  # type: ignore[return-value]


@strawberry.type
class AimQueries:
    aim: Aim | None = record("Aim", "One aim")
