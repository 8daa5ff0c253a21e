"""Generates the export of rows that the claims of a signed link name, with the data of this moment."""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.enums import CriterionFilter
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from resolvers import signed_urls
from resolvers.exports import export_data, workbook
from resolvers.exports.formats import file_name
from resolvers.exports.pdf import AimHeading
from resolvers.exports.progress_map import progress_map
from resolvers.exports.record_of_achievement import record_of_achievement
from services.exports.row_exports import MadeExport

Claims = dict[str, Any]


async def generate(reading: ReadSession, claims: Claims) -> MadeExport | None:
    """Returns the export as the viewer of the reading sees it; None where they do not see its subject.

    It keeps the event loop busy: a process of its own calls it.
    """
    return await _GENERATORS[claims["export"]](Loaders(reading), claims)


async def _time_log(loaders: Loaders, claims: Claims) -> MadeExport | None:
    data = await export_data.time_log(loaders, claims["learner"], signed_urls.parse_filters(claims))
    if data is None:
        return None
    return MadeExport(file_name(data.learner, "Time log", data.made_at, ".xlsx"), workbook.time_log(data))


async def _progress_map(loaders: Loaders, claims: Claims) -> MadeExport | None:
    data = await export_data.progress_map(loaders, claims["aim"], CriterionFilter(claims["filter"]))
    return MadeExport(_of_aim("Progress map", data.heading), await progress_map(data)) if data else None


async def _record_of_achievement(loaders: Loaders, claims: Claims) -> MadeExport | None:
    data = await export_data.record_of_achievement(loaders, claims["aim"])
    if data is None:
        return None
    return MadeExport(_of_aim("Record of achievement", data.heading), await record_of_achievement(data))


def _of_aim(what: str, heading: AimHeading) -> str:
    return file_name(heading.learner, f"{what}, {heading.qualification}", heading.made_at, ".pdf")


_GENERATORS: dict[str, Callable[[Loaders, Claims], Awaitable[MadeExport | None]]] = {
    signed_urls.TIME_LOG: _time_log,
    signed_urls.PROGRESS_MAP: _progress_map,
    signed_urls.RECORD_OF_ACHIEVEMENT: _record_of_achievement,
}
