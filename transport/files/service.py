"""What the file endpoints need of the application, and the error that they answer with."""

from collections.abc import Sequence
from typing import Any, Protocol

from services.storage.file_store import StoredFile
from services.storage.transfers import ExpectedUpload, GeneratedExport, StoredDownload

Claims = dict[str, Any]


class FileService(Protocol):
    """The application behind the file endpoints. Each method gets the claims of the signed URL."""

    async def expected_upload(self, claims: Claims) -> ExpectedUpload | None:
        """Returns the announced file; None if it is no longer expected."""

    async def record_upload(self, claims: Claims, stored: StoredFile, content_type: str) -> StoredFile:
        """Records the uploaded bytes unless others are recorded already, and returns the recorded ones."""

    async def upload_parts(self, claims: Claims) -> Sequence[StoredFile] | None:
        """Returns the parts of the file that have arrived, in order; None once the whole file is recorded."""

    async def record_part(self, claims: Claims, starts_at: int, stored: StoredFile) -> bool:
        """Records a part, and returns whether it began where the parts before it end."""

    async def drop_parts(self, claims: Claims) -> None:
        """Deletes the parts of the file and their content."""

    async def stored_download(self, claims: Claims) -> StoredDownload | None:
        """Returns the stored file; None if it no longer exists or the viewer may no longer see it."""

    async def generate_export(self, claims: Claims) -> GeneratedExport | None:
        """Generates the export, which the caller closes; None if its subject is gone or the viewer may not see it.

        Raises TooManyExports.
        """


class FileError(Exception):
    """The response is `{"error": message}` with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
