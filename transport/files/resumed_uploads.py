"""Uploads that go on where they were cut: the core of tus 1.0, at the link of the upload.

What arrived of a part is kept, also if its connection was lost. The file is checked and stored once all of it is there.
"""

from collections.abc import AsyncIterator, Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from auth.signed_urls import UPLOAD, InvalidSignedUrl, SignedUrls
from services.storage.file_store import FileStore, StoredFile, UploadTooLarge
from services.storage.transfers import ExpectedUpload
from services.storage.upload_rules import HEAD, UnacceptableUpload, UploadKind, check_start, check_upload, kind_of
from transport.files.service import Claims, FileError, FileService
from transport.files.uploads import record, with_timeout

VERSION = "1.0.0"
PART_TYPE = "application/offset+octet-stream"
# Connections that are cut this often have a cause that the next one does not remove.
MAX_PARTS = 200


async def offset(request: Request, signed_urls: SignedUrls, service: FileService) -> Response:
    """Says how many bytes have arrived, so that the client sends the rest."""
    claims, expected = await _expected(request, signed_urls, service)
    received, _ = await _received(service, claims, expected)
    return _answer(200, received, {"Upload-Length": str(expected.size)})


async def append(
    request: Request, signed_urls: SignedUrls, store: FileStore, service: FileService, idle_seconds: float
) -> Response:
    """Adds the body to what has arrived; the part that completes the file has it checked and recorded."""
    claims, expected = await _expected(request, signed_urls, service)
    received, parts = await _received(service, claims, expected)
    _check_headers(request, received, expected)
    if received == expected.size:
        return _answer(204, received)
    if len(parts) >= MAX_PARTS:
        raise FileError(410, "This upload was cut too often. Start the upload again, with a new link.")
    kind = kind_of(expected.name)
    body = _Part(with_timeout(request.stream(), idle_seconds), kind if received == 0 else None)
    try:
        stored = await store.write(body.chunks(), limit=expected.size - received)
    except UploadTooLarge:
        raise UploadTooLarge(expected.size) from None
    if stored.size and received + stored.size < expected.size:
        await _record_part(claims, received, stored, store, service)
    else:
        try:
            if stored.size:
                await _complete(claims, [*parts, stored], expected, kind, store, service)
        finally:
            # Its bytes are in the whole file, or are sent again.
            await store.delete(stored.storage_key)
    if body.problem is not None:
        raise body.problem
    return _answer(204, received + stored.size)


async def _expected(request: Request, signed_urls: SignedUrls, service: FileService) -> tuple[Claims, ExpectedUpload]:
    if request.headers.get("tus-resumable", VERSION) != VERSION:
        raise FileError(412, f"This server has version {VERSION} of tus: send Tus-Resumable: {VERSION}.")
    claims = signed_urls.verify(UPLOAD, request.path_params["link"])
    expected = await service.expected_upload(claims)
    if expected is None:
        raise FileError(410, "This upload link is no longer valid. Start the upload again.")
    return claims, expected


async def _received(service: FileService, claims: Claims, expected: ExpectedUpload) -> tuple[int, Sequence[StoredFile]]:
    parts = await service.upload_parts(claims)
    if parts is None:
        return expected.size, ()
    return sum(part.size for part in parts), parts


def _check_headers(request: Request, received: int, expected: ExpectedUpload) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PART_TYPE:
        raise FileError(415, f"Send a part of a file with Content-Type: {PART_TYPE}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise FileError(415, "Send the file unencoded, without Content-Encoding.")
    given = request.headers.get("upload-offset", "")
    if not (given.isascii() and given.isdecimal() and len(given) <= 15):
        raise FileError(400, "Upload-Offset must say where in the file the part begins, in bytes.")
    if int(given) != received:
        raise _other_offset()
    length = request.headers.get("content-length")
    if length is not None and received + int(length) > expected.size:
        raise UploadTooLarge(expected.size)


def _other_offset() -> FileError:
    return FileError(
        409, "Another request continues this upload. Send HEAD to this link, and continue at its Upload-Offset."
    )


class _Part:
    """The body of a request, which may end early: `problem` is why, once it has been read.

    `kind`: of the file, where the part is its beginning, which is checked before it is stored.
    """

    def __init__(self, stream: AsyncIterator[bytes], kind: UploadKind | None) -> None:
        self.problem: Exception | None = None
        self._stream = stream
        self._kind = kind

    async def chunks(self) -> AsyncIterator[bytes]:
        head = bytearray()
        try:
            async for chunk in self._stream:
                if self._kind is not None and len(head) < HEAD:
                    head += chunk
                    if len(head) >= HEAD:
                        check_start(self._kind, head)
                yield chunk
        except (ClientDisconnect, FileError) as error:
            self.problem = error


async def _record_part(
    claims: Claims, received: int, stored: StoredFile, store: FileStore, service: FileService
) -> None:
    """Records a part. Like the whole file it is deleted only where it is certainly not recorded."""
    try:
        if await service.record_part(claims, received, stored):
            return
    except InvalidSignedUrl:
        await store.delete(stored.storage_key)
        raise
    await store.delete(stored.storage_key)
    raise _other_offset()


async def _complete(
    claims: Claims,
    parts: Sequence[StoredFile],
    expected: ExpectedUpload,
    kind: UploadKind,
    store: FileStore,
    service: FileService,
) -> None:
    """Stores the parts as one file and records it. A file that cannot be accepted is dropped with its parts."""
    try:
        whole = await store.write(check_upload(_joined(store, parts), kind), limit=expected.size)
    except UnacceptableUpload:
        await service.drop_parts(claims)
        raise
    except FileNotFoundError:
        await service.drop_parts(claims)
        raise _other_offset() from None
    await record(claims, whole, kind, store, service)


async def _joined(store: FileStore, parts: Sequence[StoredFile]) -> AsyncIterator[bytes]:
    for part in parts:
        async for chunk in store.read(part.storage_key):
            yield chunk


def _answer(status: int, received: int, headers: dict[str, str] | None = None) -> Response:
    return Response(
        status_code=status,
        headers={
            "Tus-Resumable": VERSION, "Upload-Offset": str(received), "Cache-Control": "no-store", **(headers or {}),
        },
    )  # fmt: skip
