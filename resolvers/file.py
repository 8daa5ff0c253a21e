"""Announces an upload: records the file, and returns the signed link that its bytes are sent to."""

import datetime as dt
from dataclasses import dataclass
from typing import TypedDict

from auth.signed_urls import UPLOAD
from db.models.file import File
from domain import global_id
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.usage import lock_own_account, unused_uploads
from resolvers.core.context import Context
from resolvers.core.unit_of_work import UnitOfWork, mutation
from services.quotas import MEGABYTE
from services.storage.preview_types import CONTENT_TYPES
from services.storage.upload_rules import KINDS, MAX_UPLOAD_BYTES, UnacceptableUpload, clean_name, kind_of

LINK_LIFETIME = dt.timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Header:
    """One HTTP header."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where the client sends the bytes of an announced file: PUT to `url` with `headers`, before `expires_at`."""

    key: int
    url: str
    headers: list[Header]
    expires_at: dt.datetime

    @property
    def file_id(self) -> str:
        """The file's global id, which is given where the file is used."""
        return global_id.encode("File", self.key)


@dataclass(frozen=True, slots=True)
class AcceptedFileKind:
    """A kind of file that can be uploaded: `endings` of names in lower case, the size in bytes."""

    content_type: str
    endings: tuple[str, ...]
    max_bytes: int
    has_preview: bool


_ACCEPTED = [
    AcceptedFileKind(kind.content_type, kind.endings, MAX_UPLOAD_BYTES, kind.content_type in CONTENT_TYPES)
    for kind in KINDS
]


def accepted_file_kinds(context: Context) -> list[AcceptedFileKind]:
    """Returns the kinds of files that are accepted. Raises NotSignedIn or SetupRequired."""
    _ = context.require_active_viewer()
    return _ACCEPTED


class AnnouncedFile(TypedDict):
    """What is stored of an announcement with its Idempotency-Key; `announced_at` as ISO 8601."""

    key: int
    content_type: str
    announced_at: str


@mutation("fileUploadCreate")
async def upload_create(uow: UnitOfWork, *, name: str, content_type: str, size: int) -> AnnouncedFile:
    """Announces a file of `size` bytes. Its name says its kind, whatever a browser calls it (`content_type`).

    The content is checked when it arrives. Rejects with REQUIRED or INVALID for a name or size that is not accepted,
    and with TOO_MANY_ATTEMPTS where the viewer or their provider has too many uploads that no record uses.
    """
    uow.authorize()
    stored_type = ""
    if not name.strip():
        message = say("FILE_NAME_MISSING")
        uow.add_error(UserErrorCode.REQUIRED, message, "input", "name")
    else:
        stored_type = _content_type(uow, clean_name(name))
    if size <= 0:
        uow.add_error(UserErrorCode.INVALID, say("FILE_EMPTY"), "input", "size")
    elif size > MAX_UPLOAD_BYTES:
        megabytes = MAX_UPLOAD_BYTES // 1024 // 1024
        message = say("FILE_TOO_LARGE", most=megabytes)
        uow.add_error(UserErrorCode.INVALID, message, "input", "size")
    uow.raise_errors()
    await _check_quota(uow, size)
    file = File(
        provider_id=uow.viewer.provider_key,
        name=clean_name(name),
        content_type=stored_type,
        size=size,
        uploaded_by_id=uow.viewer.user_key,
        announced_at=uow.now,
    )
    uow.session.add(file)
    await uow.session.flush()
    # It belongs to no record until one uses it.
    uow.audit("File", file.id, notify=False, size=size, content_type=stored_type)
    return {"key": file.id, "content_type": stored_type, "announced_at": uow.now.isoformat()}


def upload_target(context: Context, announced: AnnouncedFile) -> UploadTarget:
    """Returns the signed link for the bytes of an announced file: the same for the same announcement."""
    expires_at = dt.datetime.fromisoformat(announced["announced_at"]) + LINK_LIFETIME
    link = context.services.links.sign(UPLOAD, {"file": announced["key"]}, expires_at)
    url = f"{context.services.base_url}/uploads/{link}"
    return UploadTarget(announced["key"], url, [Header("Content-Type", announced["content_type"])], expires_at)


async def _check_quota(uow: UnitOfWork, size: int) -> None:
    quotas, viewer = uow.services.quotas, uow.viewer
    # The quota of one user is exact; that of the provider can be exceeded by requests that arrive at the same moment.
    if not uow.services.database.is_sqlite:
        await lock_own_account(uow.session, viewer.user_key)
    unused = await unused_uploads(uow.session, viewer.provider_key, viewer.user_key)
    if unused.files >= quotas.unused_files or unused.size + size > quotas.unused_megabytes * MEGABYTE:
        message = say("TOO_MANY_UNUSED_UPLOADS")
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "input")
    if (
        unused.provider_files >= quotas.unused_files_provider
        or unused.provider_size + size > quotas.unused_megabytes_provider * MEGABYTE
    ):
        message = say("NO_ROOM_FOR_UPLOADS")
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "input")


def _content_type(uow: UnitOfWork, name: str) -> str:
    """Returns the content type that the file is stored with; records an error at the name."""
    try:
        kind = kind_of(name)
    except UnacceptableUpload as error:
        uow.add_error(UserErrorCode.INVALID, error.args[0], "input", "name")
        return ""
    return kind.content_type
