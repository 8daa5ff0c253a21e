"""Aims: the components of a learner's programme."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.enums import ResourceBucket
from loaders.aim import AimRow
from loaders.aim_break import BreaksOfAimLoader, StatusHistoryLoader
from loaders.aim_version import EarlierVersionsLoader
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.off_the_job import OffTheJobOfAimLoader
from loaders.qualification import QualificationLoader
from loaders.resource import AimResourcesLoader, ResourceCountLoader, ResourceRow
from loaders.unit import UnitsOfAimLoader
from resolvers import signed_urls
from schema.enums import AimOutcome, AimStatus, CriterionFilter, TrafficLight
from schema.field_builders import Info, argument, attribute, loaded, person, related, resolved, updated_at
from schema.relay import Node, node, record
from schema.types.aim_break import AimStatusChange, Break
from schema.types.aim_version import AimVersion
from schema.types.file import Download
from schema.types.off_the_job import OffTheJob
from schema.types.progress import Progress
from schema.types.qualification import Qualification
from schema.types.resource import Resource
from schema.types.unit import Unit
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.learner import Learner


def _units_loader(info: Info, chosen_only: bool | None) -> UnitsOfAimLoader:
    # The default is the loader that all other fields share.
    return info.context.loaders[UnitsOfAimLoader] if chosen_only else info.context.loaders.get(UnitsOfAimLoader, False)


async def _resources(row: AimRow, loaders: Loaders, bucket: ResourceBucket) -> list[ResourceRow]:
    return [resource for resource in await loaders[AimResourcesLoader].load(row.key) if resource.bucket is bucket]


@node(
    AimRow,
    "One component of a learner's programme, such as an apprenticeship standard, a diploma or a functional skill. "
    "Guides also say component or course; the official term is learning aim.",
)
class Aim(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner whose aim it is.", LearnerLoader, by="learner_key"
    )
    qualification: Qualification = loaded(
        "The qualification that the aim is measured against, in one version.",
        QualificationLoader,
        by="qualification_key",
    )
    title: str = attribute("The title of the qualification.")
    status: AimStatus = attribute("The state of the aim.")
    assessor: User | None = attribute("The assessor of the aim; null if none is assigned.")
    iqa: User | None = person("The user who quality-assures the aim; null if none is assigned.", "iqa_key")
    start_date: dt.date = attribute("The first day of training.")
    planned_end_date: dt.date = attribute("The last day of training as planned; that day is included.")
    actual_end_date: dt.date | None = attribute("The day on which the aim ended; null until then.")
    original_start_date: dt.date = attribute(
        "The day on which the learner first began, which decides the rules for off-the-job hours; the start date "
        "unless another day was given, such as that of an earlier provider."
    )
    start_date_reason: str | None = attribute("Why the start date was corrected; null if it never was.")
    outcome: AimOutcome | None = attribute("The result with which the aim ended; null until it is recorded.")
    earlier_versions: list[AimVersion] = loaded(
        "The versions of its qualification that the aim was measured against before, oldest first.",
        EarlierVersionsLoader,
    )
    progress: Progress = attribute("The learner's progress in the aim: time elapsed, criteria mapped and signed off.")
    traffic_light: TrafficLight = attribute(
        "Compares `progress.pointsAhead` with the provider's tolerance: `OFF_TRACK` if it is minus the tolerance or "
        "less, `AHEAD` if it is the tolerance or more, else `ON_TRACK`. `NOT_RATED` if the aim is not in training, has "
        "no criteria, or less time has passed than the provider's `ratedFromPercent`.",
    )
    breaks: list[Break] = loaded("The breaks in learning of the aim, earliest first.", BreaksOfAimLoader)
    status_history: list[AimStatusChange] = loaded(
        "Every change of the aim's status, earliest first.", StatusHistoryLoader
    )
    units: list[Unit] = resolved(
        "The units of the aim in order. `units { criteria(filter:) }` is the progress map (gap analysis).",
        lambda row, info, chosen_only: _units_loader(info, chosen_only).load(row.key),
        batch=lambda rows, info, chosen_only: _units_loader(info, chosen_only).load_batch([row.key for row in rows]),
        reads=("key",),
        chosen_only=argument(
            bool, "True: only the units that count for the learner, which are mandatory or chosen. False: all."
        ),
        defaults={"chosen_only": True},
    )
    off_the_job: OffTheJob = loaded("The off-the-job minutes of the aim.", OffTheJobOfAimLoader)
    units_to_choose: int = attribute(
        "Optional units still to choose before there are as many as the qualification requires. Until then no "
        "percentage of criteria is 100.0."
    )
    resources: list[Resource] = related(
        "The resources (learning material) of the aim, oldest first.",
        lambda row, loaders: _resources(row, loaders, ResourceBucket.RESOURCES),
        {ResourceRow: ("bucket",)},
        reads=("key",),
    )
    resource_count: int = loaded(
        "The number of resources, for the Resources icon. Files from Course are not counted.", ResourceCountLoader
    )
    files: list[Resource] = related(
        "Files from Course (additional files) of the aim, oldest first.",
        lambda row, loaders: _resources(row, loaders, ResourceBucket.FILES_FROM_COURSE),
        {ResourceRow: ("bucket",)},
        reads=("key",),
    )
    progress_map_export: Download = resolved(
        "The progress map as a PDF, made when the link is opened.",
        lambda row, info, filter: signed_urls.to_progress_map(info.context, row.key, filter),
        reads=("key",),
        filter=argument(CriterionFilter, "Which criteria the PDF shows."),
        defaults={"filter": CriterionFilter.ALL},
    )
    record_of_achievement_export: Download = resolved(
        "The Record of Achievement as a PDF: for each unit, when it was completed and who signed.",
        lambda row, info: signed_urls.to_record_of_achievement(info.context, row.key),
        reads=("key",),
    )
    updated_at: dt.datetime = updated_at("its progress, units, breaks, evidence, logged time and other records of it")
    viewer_actions: list[ViewerAction] = viewer_actions("Aim")


@strawberry.type
class AimQueries:
    aim: Aim | None = record("Aim", "The aim with this id")
