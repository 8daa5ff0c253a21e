"""Files: announced here, sent to the link that comes back, then named where they are used."""

import datetime as dt
from dataclasses import dataclass
from typing import TypedDict

from auth.signed_urls import UPLOAD
from db.models.file import File
from domain import global_id as ids
from domain.enums import UserErrorCode
from resolvers.core.context import Context
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity
from services.storage.upload_types import UnacceptableUpload, clean_name, kind_of

# Bytes: what one file may have. Room for a film of a few minutes from a telephone.
LARGEST = 100 * 1024 * 1024
LINK_LIFETIME = dt.timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Header:
    """One HTTP header."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where the bytes of an announced file go: PUT to `url` with `headers`, before `expires_at`."""

    key: int
    url: str
    headers: list[Header]
    expires_at: dt.datetime

    @property
    def file_id(self) -> str:
        """The file's id in the graph: named where the file is used."""
        return ids.encode("File", self.key)


class _Announced(TypedDict):
    key: int
    content_type: str
    announced_at: str


async def upload_create(context: Context, *, name: str, content_type: str, size: int) -> UploadPlace:
    """Announces a file and gives the place for its bytes. The same Idempotency-Key gives the same place.

    Refuses with REQUIRED or INVALID for a name, type or size that is not kept.
    """
    announced = await _announce(context, name=name, content_type=content_type, size=size)
    expires_at = dt.datetime.fromisoformat(announced["announced_at"]) + LINK_LIFETIME
    link = context.services.links.sign(UPLOAD, {"file": announced["key"]}, expires_at)
    url = f"{context.services.base_url}/uploads/{link}"
    return UploadPlace(announced["key"], url, [Header("Content-Type", announced["content_type"])], expires_at)


@mutation("fileUploadCreate")
async def _announce(uow: UnitOfWork, *, name: str, content_type: str, size: int) -> _Announced:
    uow.authorize()
    kept_as = ""
    if not name.strip():
        uow.add_error(UserErrorCode.REQUIRED, "Give the file's name, with its ending.", "input", "name")
    else:
        kept_as = _kind(uow, clean_name(name), content_type)
    if size <= 0:
        uow.add_error(UserErrorCode.INVALID, "The file is empty: choose another.", "input", "size")
    elif size > LARGEST:
        uow.add_error(
            UserErrorCode.INVALID,
            f"The file has {size:,} bytes, and {LARGEST:,} is the most. Make it smaller, or send it in parts.",
            "input", "size",
        )  # fmt: skip
    uow.raise_errors()
    file = File(
        provider_id=uow.viewer.provider_key,
        name=clean_name(name),
        content_type=kept_as,
        size=size,
        uploaded_by_id=uow.viewer.user_key,
        announced_at=uow.now,
    )
    uow.session.add(file)
    await uow.session.flush()
    uow.audit("File", file.id, size=size, content_type=kept_as)
    return {"key": file.id, "content_type": kept_as, "announced_at": uow.now.isoformat()}


def _kind(uow: UnitOfWork, name: str, announced: str) -> str:
    """The content type that the file is kept as; notes what is wrong at the name, or else at the type."""
    try:
        kind = kind_of(name)
    except UnacceptableUpload as refused:
        uow.add_error(UserErrorCode.INVALID, str(refused), "input", "name")
        return ""
    try:
        kind_of(name, announced)
    except UnacceptableUpload as refused:
        uow.add_error(UserErrorCode.INVALID, str(refused), "input", "contentType")
    return kind.content_type


async def claim_upload(uow: UnitOfWork, id: str, *field: str) -> File | None:
    """The file that the viewer uploaded to use it once, locked; else None, and the fault is noted at the field.

    Call `change.raise_errors()`, then `bind` it to the learner whose record it is used in.
    """
    file = await require_entity(uow, File, id, *field)
    if file is None:
        return None
    if file.uploaded_by_id != uow.viewer.user_key:
        uow.add_error(UserErrorCode.NOT_ALLOWED, "Only who uploaded a file can use it. Upload it yourself.", *field)
    elif file.uploaded_at is None:
        message = "The file has not arrived yet: send its bytes to the upload link first."
        uow.add_error(UserErrorCode.INVALID, message, *field)
    elif file.learner_id is not None or file.erased_at is not None:
        uow.add_error(UserErrorCode.CONFLICT, "The file is in use already. Upload it again to use it here too.", *field)
    else:
        return file
    return None


def attach(file: File, learner_id: int, aim_id: int | None = None) -> None:
    """From now on the file is seen by whoever sees the learner's record that it is used in, and by nobody else."""
    file.learner_id, file.aim_id = learner_id, aim_id
