"""Uploads: the bytes of an announced file, checked while they arrive."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from auth.signed_urls import UPLOAD, InvalidSignedUrl, SignedUrls
from services.storage.file_store import FileStore, StoredFile, UploadTooLarge
from services.storage.upload_rules import UploadKind, check_upload, kind_of
from transport.files.service import Claims, FileError, FileService

# How much of a rejected body is read and dropped: most clients read the response only after sending everything.
MAX_DISCARDED_BYTES = 4 * 1024 * 1024
DISCARD_SECONDS = 5.0


async def upload(
    request: Request, signed_urls: SignedUrls, store: FileStore, service: FileService, idle_seconds: float
) -> Response:
    """Stores the body, and records it. The same bytes again change nothing and get 200 instead of 201."""
    claims = signed_urls.verify(UPLOAD, request.path_params["link"])
    expected = await service.expected_upload(claims)
    if expected is None:
        raise FileError(410, "This upload link is no longer valid. Start the upload again.")
    _check_headers(request, expected.size)
    kind = kind_of(expected.name)
    body = check_upload(_of_size(with_timeout(request.stream(), idle_seconds), expected.size), kind)
    stored = await store.write(body, limit=expected.size)
    is_new = await record(claims, stored, kind, store, service)
    return JSONResponse(
        {"name": expected.name, "contentType": kind.content_type, "size": stored.size, "sha256": stored.sha256},
        201 if is_new else 200,
        {"Cache-Control": "no-store"},
    )


async def record(claims: Claims, stored: StoredFile, kind: UploadKind, store: FileStore, service: FileService) -> bool:
    """Records the stored bytes; returns False, and deletes them, if the same bytes were recorded before.

    Raises FileError 409 if other bytes were. What is certainly not recorded is deleted, and nothing else: of a commit
    whose answer was lost nobody knows, and the sweep at the next start deletes what no record refers to.
    """
    try:
        recorded = await service.record_upload(claims, stored, kind.content_type)
    except InvalidSignedUrl:
        await store.delete(stored.storage_key)
        raise
    if recorded.storage_key == stored.storage_key:
        return True
    await store.delete(stored.storage_key)
    if recorded.sha256 != stored.sha256:
        raise FileError(409, "Another file was already uploaded with this link. Request a new link for this one.")
    return False


async def discard_body(request: Request) -> None:
    """Reads and drops the rest of a body, up to a size and for a time."""
    size = 0
    try:
        async with asyncio.timeout(DISCARD_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_DISCARDED_BYTES:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return  # Starlette raises RuntimeError if the body was read already


def _check_headers(request: Request, size: int) -> None:
    if "content-range" in request.headers:
        raise FileError(400, "Send the file in one piece, without Content-Range.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise FileError(415, "Send the file unencoded, without Content-Encoding.")
    length = request.headers.get("content-length")
    if length is not None and int(length) > size:
        raise UploadTooLarge(size)
    if length is not None and int(length) < size:
        raise FileError(400, _too_short(int(length), size))


def _too_short(received: int, size: int) -> str:
    return f"{received:,} bytes were sent, but {size:,} were announced. Send the whole file again."


async def with_timeout(stream: AsyncIterator[bytes], idle_seconds: float) -> AsyncIterator[bytes]:
    """Yields the stream. Raises FileError 408 after `idle_seconds` without a byte."""
    while True:
        try:
            async with asyncio.timeout(idle_seconds):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise FileError(408, "The upload was interrupted. Nothing was saved. Send the file again.") from None
        if chunk is None:
            return
        yield chunk


async def _of_size(stream: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > size:
            raise UploadTooLarge(size)
        yield chunk
    if received < size:
        raise FileError(400, _too_short(received, size))
