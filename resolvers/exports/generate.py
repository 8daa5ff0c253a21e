"""Generates the export that the claims of a signed link name, with the data of this moment."""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.enums import CriterionFilter
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from resolvers import signed_urls
from resolvers.core.context import Services
from resolvers.exports import export_data
from resolvers.exports.formats import PDF, WORKBOOK, ZIP, file_name
from resolvers.exports.pdf import AimHeading
from resolvers.exports.progress_map import progress_map
from resolvers.exports.record_of_achievement import record_of_achievement
from resolvers.exports.subject_access import subject_access
from resolvers.exports.workbook import time_log
from services.storage.transfers import GeneratedExport

Claims = dict[str, Any]


async def generate(services: Services, reading: ReadSession, claims: Claims) -> GeneratedExport | None:
    """Returns the export as the viewer of the reading sees it; None where they do not see its subject."""
    if claims["export"] == signed_urls.SUBJECT_ACCESS:
        loaders = Loaders(reading)
        archive = await subject_access(services, loaders, claims["learner"])
        if archive is None:
            return None
        learner = await loaders[LearnerLoader].load(claims["learner"])
        return GeneratedExport(file_name(learner.name, "Subject access", reading.now, ".zip"), ZIP, archive)
    of_kind = _GENERATORS.get(claims["export"])
    return await of_kind(Loaders(reading), claims) if of_kind else None


async def _time_log(loaders: Loaders, claims: Claims) -> GeneratedExport | None:
    data = await export_data.time_log(loaders, claims["learner"], signed_urls.parse_filters(claims))
    if data is None:
        return None
    return GeneratedExport(file_name(data.learner, "Time log", data.made_at, ".xlsx"), WORKBOOK, await time_log(data))


async def _progress_map(loaders: Loaders, claims: Claims) -> GeneratedExport | None:
    data = await export_data.progress_map(loaders, claims["aim"], CriterionFilter(claims["filter"]))
    return GeneratedExport(_of_aim("Progress map", data.heading), PDF, await progress_map(data)) if data else None


async def _record_of_achievement(loaders: Loaders, claims: Claims) -> GeneratedExport | None:
    data = await export_data.record_of_achievement(loaders, claims["aim"])
    if data is None:
        return None
    return GeneratedExport(_of_aim("Record of achievement", data.heading), PDF, await record_of_achievement(data))


def _of_aim(what: str, heading: AimHeading) -> str:
    return file_name(heading.learner, f"{what}, {heading.qualification}", heading.made_at, ".pdf")


_GENERATORS: dict[str, Callable[[Loaders, Claims], Awaitable[GeneratedExport | None]]] = {
    signed_urls.TIME_LOG: _time_log,
    signed_urls.PROGRESS_MAP: _progress_map,
    signed_urls.RECORD_OF_ACHIEVEMENT: _record_of_achievement,
}
