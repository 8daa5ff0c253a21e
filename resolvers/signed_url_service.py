"""Serves the signed links that `resolvers/signed_urls.py` makes: records uploads, reads files, generates exports.

The user is read again when a link is opened, so that a link gives nothing that they no longer see.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from auth.signed_urls import InvalidSignedUrl
from auth.viewer import Viewer
from db.models.file import File
from db.models.upload_part import UploadPart
from domain import clock, global_id
from domain.enums import ExportFormat
from loaders.bulk_export import BulkExportLoader
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.file import read_stored
from loaders.learner import LearnerLoader
from repositories.file import announced_file
from repositories.guest_invitation import document_of_guest
from repositories.upload_part import delete_parts, received_bytes, received_parts
from resolvers import signed_urls
from resolvers.core.context import Services
from resolvers.exports.formats import PDF, WORKBOOK, ZIP, file_name
from resolvers.exports.subject_access import subject_access
from services.exports.row_exports import ExportWorkers
from services.exports.slots import ExportSlots
from services.storage.file_store import StoredFile, StoreUnavailable
from services.storage.transfers import ExpectedUpload, GeneratedExport, StoredDownload

Claims = dict[str, Any]

MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.XLSX: WORKBOOK,
}
# Of the exports that a process of their own makes.
ROW_EXPORTS = {
    signed_urls.TIME_LOG: WORKBOOK,
    signed_urls.PROGRESS_MAP: PDF,
    signed_urls.RECORD_OF_ACHIEVEMENT: PDF,
}


class SignedUrlService:
    """What the file endpoints call; each method takes the claims of a link."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.slots = ExportSlots(services.quotas)
        self.workers = ExportWorkers(services.database)
        self.files = services.files

    async def expected_upload(self, claims: Claims) -> ExpectedUpload | None:
        """Returns the announced file, also once it has arrived; None once it is erased or its uploader archived."""
        announced = await announced_file(self._services.database, claims["file"])
        return ExpectedUpload(announced.name, announced.size) if announced else None

    async def record_upload(self, claims: Claims, stored: StoredFile, content_type: str) -> StoredFile:
        """Records the stored bytes, unless others were recorded before. Returns what is recorded.

        Raises InvalidSignedUrl for a file that was erased or deleted while its bytes arrived.
        """
        async with self._services.database.writing() as session:
            # Locked: of two uploads of the same file at once, the second finds the first recorded.
            file = await session.get(File, claims["file"], with_for_update={"key_share": True})
            if file is None or file.erased_at is not None:
                raise InvalidSignedUrl
            if file.uploaded_at is None:
                file.storage_key, file.sha256, file.size = stored.storage_key, stored.sha256, stored.size
                file.content_type, file.uploaded_at = content_type, clock.now()
            parts = await delete_parts(session, file.id)
            # Digest and storage key are set for every file that has arrived.
            recorded = StoredFile(cast(str, file.storage_key), file.size, cast(str, file.sha256))
        await self._delete_content(parts)
        return recorded

    async def upload_parts(self, claims: Claims) -> Sequence[StoredFile] | None:
        """Returns the parts of an announced file that have arrived, in order; None once the whole file has."""
        is_stored, parts = await received_parts(self._services.database, claims["file"])
        return None if is_stored else [StoredFile(storage_key, size, "") for storage_key, size in parts]

    async def record_part(self, claims: Claims, starts_at: int, stored: StoredFile) -> bool:
        """Records a part of an announced file; returns False if it does not begin where the parts before it end.

        Raises InvalidSignedUrl for a file that was erased or deleted.
        """
        async with self._services.database.writing() as session:
            # Locked: of two parts that begin at the same place, the second finds the first recorded.
            file = await session.get(File, claims["file"], with_for_update={"key_share": True})
            if file is None or file.erased_at is not None:
                raise InvalidSignedUrl
            if file.uploaded_at is not None or await received_bytes(session, file.id) != starts_at:
                return False
            session.add(
                UploadPart(
                    provider_id=file.provider_id, file_id=file.id, starts_at=starts_at, size=stored.size,
                    storage_key=stored.storage_key, received_at=clock.now(),
                )
            )  # fmt: skip
        return True

    async def drop_parts(self, claims: Claims) -> None:
        """Deletes the parts of an announced file, which is not accepted."""
        async with self._services.database.writing() as session:
            parts = await delete_parts(session, claims["file"])
        await self._delete_content(parts)

    async def _delete_content(self, storage_keys: Sequence[str]) -> None:
        # What cannot be deleted now, because the store is away, is swept: no record refers to it.
        with suppress(StoreUnavailable):
            for storage_key in storage_keys:
                await self.files.delete(storage_key)

    async def stored_download(self, claims: Claims) -> StoredDownload | None:
        """Returns the stored file; None where it was erased, or where the user of the link no longer sees it."""
        stored: Any
        if "guest" in claims:
            stored = await document_of_guest(self._services.database, claims["guest"], clock.now())
        elif "bulk" in claims:
            bulk = await self._read_session(claims)
            return await self.bulk_download(bulk, claims["bulk"]) if bulk else None
        else:
            reading = await self._read_session(claims)
            stored = await read_stored(reading, claims["file"]) if reading else None
        if stored is None:
            return None
        # Digest and storage key are set for every file that has arrived.
        digest, storage_key = cast(str, stored.sha256), cast(str, stored.storage_key)
        return StoredDownload(stored.name, stored.content_type, stored.size, digest, storage_key)

    async def bulk_download(self, reading: ReadSession, key: int) -> StoredDownload | None:
        """Returns the file of a bulk export of the viewer, in the role in use; None if it is not there."""
        export = await Loaders(reading)[BulkExportLoader].load(key)
        if export is None or export.storage_key is None:
            return None
        kind = export.format.value.lower()
        name = f"{export.operation} {export.as_of.astimezone(clock.LONDON):%Y-%m-%d %H.%M}.{kind}"
        media_type = MEDIA_TYPES[export.format]
        return StoredDownload(
            name, media_type, export.size or 0, export.sha256 or "", export.storage_key, resumable=True
        )

    async def bulk_download_of(self, viewer: Viewer, id: str) -> StoredDownload | None:
        """As `bulk_download`, for a viewer who sent an access token or an access key, and the id of the export."""
        key = global_id.decode("BulkExport", id)
        if key is None:
            return None
        reading = ReadSession(self._services.database, viewer, self._services.qualifications, primary=True)
        if viewer.access_key is not None and viewer.access_key.operations:
            export = await Loaders(reading)[BulkExportLoader].load(key)
            if export is None or export.operation not in viewer.access_key.operations:
                return None
        return await self.bulk_download(reading, key)

    async def generate_export(self, claims: Claims) -> GeneratedExport | None:
        """Returns the export with the data of this moment; None where the user of the link does not see its subject.

        The caller closes it. Raises TooManyExports, and ExportFailed where no process could make it.
        """
        # Of a link that was verified. Its user is read where the export is made.
        release = await self.slots.hold(claims["user"])
        try:
            async with self.slots.making():
                generated = await self._generated(claims, release)
        except BaseException:
            release()
            raise
        if generated is None:
            release()
        return generated

    async def _generated(self, claims: Claims, release: Callable[[], None]) -> GeneratedExport | None:
        if claims["export"] == signed_urls.SUBJECT_ACCESS:
            return await self._subject_access(claims, release)
        made = await self.workers.make(claims)
        # The process says what is in the file, but not what a browser takes it for.
        return GeneratedExport(made.name, ROW_EXPORTS[claims["export"]], made.content, release) if made else None

    async def _subject_access(self, claims: Claims, release: Callable[[], None]) -> GeneratedExport | None:
        reading = await self._read_session(claims)
        if reading is None:
            return None
        loaders = Loaders(reading)
        archive = await subject_access(self._services, loaders, claims["learner"])
        if archive is None:
            return None
        learner = await loaders[LearnerLoader].load(claims["learner"])
        return GeneratedExport(file_name(learner.name, "Subject access", reading.now, ".zip"), ZIP, archive, release)

    async def _read_session(self, claims: Claims) -> ReadSession | None:
        services = self._services
        viewer = await signed_urls.viewer_of_link(services.database, claims)
        if viewer is None:
            return None
        # From the primary, because the subject of a link may have been written a moment ago.
        return ReadSession(services.database, viewer, services.qualifications, primary=True)
