"""The desk behind the signed links: takes in what was announced, and hands out files and exports to whom they are open.

Whoever a link was made for is looked at again when it is followed: what they no longer see, they no longer get.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from auth.signed_urls import InvalidSignedUrl
from db.models.file import File
from domain import clock
from domain.enums import CriterionFilter
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.file import read_stored
from repositories.file import announced_file
from resolvers import signed_urls as link
from resolvers.core.context import Services
from resolvers.exports import export_data as export_data
from resolvers.exports.progress_map import progress_map
from resolvers.exports.record_of_achievement import record_of_achievement
from resolvers.exports.subject_access import subject_access
from resolvers.exports.workbook import time_log
from services.storage.file_store import StoredFile
from services.storage.transfers import ExpectedUpload, GeneratedExport, StoredDownload

Claims = dict[str, Any]

PDF = "application/pdf"
ZIP = "application/zip"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExportService:
    """What the endpoints of files ask; each method is given the claims that its link was signed with."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def expected_upload(self, claims: Claims) -> ExpectedUpload | None:
        """The announced file, also once it has arrived; None where it was erased, or whose it is has left."""
        announced = await announced_file(self._services.database, claims["file"])
        return ExpectedUpload(announced.name, announced.size) if announced else None

    async def record_upload(self, claims: Claims, stored: StoredFile, content_type: str) -> StoredFile:
        """Records the bytes, unless some are recorded already, and gives what is on record: one transaction.

        Raises LinkRefused for a file that was erased while its bytes came.
        """
        async with self._services.database.writing() as session:
            # Locked: of two who send the same file at once, the second finds the first's on record.
            file = await session.get_one(File, claims["file"], with_for_update={"key_share": True})
            if file.erased_at is not None:
                raise InvalidSignedUrl
            if file.uploaded_at is None:
                file.storage_key, file.sha256, file.size = stored.storage_key, stored.sha256, stored.size
                file.content_type, file.uploaded_at = content_type, clock.now()
            return StoredFile(file.storage_key, file.size, file.sha256)

    async def stored_download(self, claims: Claims) -> StoredDownload | None:
        """The stored file; None where it is gone, or no longer open to whom the link was made for."""
        reading = await self._reading(claims)
        stored = await read_stored(reading, claims["file"]) if reading else None
        if stored is None:
            return None
        return StoredDownload(stored.name, stored.content_type, stored.size, stored.sha256, stored.storage_key)

    async def generate_export(self, claims: Claims) -> GeneratedExport | None:
        """The export, made now; None where its subject is gone, or no longer open to whom the link was made for."""
        reading = await self._reading(claims)
        if reading is None:
            return None
        if claims["export"] == link.SUBJECT_ACCESS:
            archive = await subject_access(self._services, Loaders(reading), claims["learner"])
            return GeneratedExport("subject-access.zip", ZIP, archive) if archive else None
        make = _MAKERS.get(claims["export"])
        return await make(Loaders(reading), claims) if make else None

    async def _reading(self, claims: Claims) -> ReadSession | None:
        services = self._services
        viewer = await link.viewer_of(services.database, claims)
        # From the primary: what a link was made for may have been written a moment ago.
        return ReadSession(services.database, viewer, services.qualifications, primary=True) if viewer else None


async def _time_log(loaders: Loaders, claims: Claims) -> GeneratedExport | None:
    data = await export_data.time_log(loaders, claims["learner"], link.filters_of(claims))
    return GeneratedExport("time-log.xlsx", WORKBOOK, await time_log(data)) if data else None


async def _progress_map(loaders: Loaders, claims: Claims) -> GeneratedExport | None:
    data = await export_data.progress_map(loaders, claims["aim"], CriterionFilter(claims["filter"]))
    return GeneratedExport("progress-map.pdf", PDF, await progress_map(data)) if data else None


async def _record_of_achievement(loaders: Loaders, claims: Claims) -> GeneratedExport | None:
    data = await export_data.record_of_achievement(loaders, claims["aim"])
    return GeneratedExport("record-of-achievement.pdf", PDF, await record_of_achievement(data)) if data else None


_MAKERS: dict[str, Callable[[Loaders, Claims], Awaitable[GeneratedExport | None]]] = {
    link.TIME_LOG: _time_log,
    link.PROGRESS_MAP: _progress_map,
    link.RECORD_OF_ACHIEVEMENT: _record_of_achievement,
}
