"""Downloads of stored files, verified while they are sent, and of generated exports."""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, BinaryIO
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from auth.signed_urls import DOWNLOAD, EXPORT, SignedUrls
from services.storage.file_store import READ_CHUNK, FileStore
from services.storage.transfers import GeneratedExport, StoredDownload
from transport.files.previews import INLINE, preview, shown_headers
from transport.files.service import FileError, FileService

log = structlog.get_logger(__name__)
# The rest of a file from a position, as a client requests it that resumes a download.
_RANGE = re.compile(r"bytes=(\d{1,18})-", re.ASCII)


async def download(
    request: Request, signed_urls: SignedUrls, store: FileStore, service: FileService, allowed_origins: Sequence[str]
) -> Response:
    """Sends a stored file or its preview. With `inline` in the query, a file of a safe kind is shown on the page."""
    claims = signed_urls.verify(DOWNLOAD, request.path_params["link"])
    stored = await service.stored_download(claims)
    if stored is None:
        raise FileError(410, "This file no longer exists, or you may no longer see it.")
    if "preview" in claims:
        return await preview(request.method, stored, claims, store, allowed_origins)
    return await send_stored(request, stored, store, allowed_origins)


async def send_stored(
    request: Request, stored: StoredDownload, store: FileStore, allowed_origins: Sequence[str] = ()
) -> Response:
    """Sends a stored file. Raises FileError for one that is damaged."""
    headers = _headers(stored.name, stored.content_type, stored.size, stored.sha256)
    if "inline" in request.query_params and stored.content_type in INLINE:
        shown = shown_headers(stored.content_type, allowed_origins)
        named = headers["Content-Disposition"].replace("attachment", shown["Content-Disposition"], 1)
        headers |= {**shown, "Content-Disposition": named}
    if f'"{stored.sha256}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    if stored.resumable:
        headers["Accept-Ranges"] = "bytes"
    if request.method == "HEAD":
        return Response(headers=headers)
    if stored.resumable and (offset := _offset(request, stored)) is not None:
        return _rest(stored, store, headers, offset)
    chunks = _verified(store.read(stored.storage_key), stored)
    try:
        first = await anext(chunks, b"")
    except (FileNotFoundError, _CorruptFile) as error:
        log.error("stored_file_corrupt", storage_key=stored.storage_key, problem=str(error)[:200])
        raise FileError(500, "The stored file is damaged. Tell your training provider.") from None

    async def body() -> AsyncIterator[bytes]:
        yield first
        try:
            async for chunk in chunks:
                yield chunk
        except _CorruptFile as error:
            # The last chunk is not sent. With fewer bytes than Content-Length, clients report a failed download.
            log.error("stored_file_corrupt", storage_key=stored.storage_key, problem=str(error))
            raise

    return StreamingResponse(body(), headers=headers)


def _offset(request: Request, stored: StoredDownload) -> int | None:
    """Returns the position from which the client requests the rest of the file; None if it requests the whole file."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    whole = f'"{stored.sha256}"'
    if found is None or request.headers.get("if-range", whole) != whole:
        return None
    return int(found[1])


def _rest(stored: StoredDownload, store: FileStore, headers: dict[str, str], offset: int) -> Response:
    # The digest of a part cannot be checked: the client compares that of the whole, which is the ETag.
    if offset >= stored.size:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{stored.size}"})
    rest = {"Content-Range": f"bytes {offset}-{stored.size - 1}/{stored.size}"}
    rest["Content-Length"] = str(stored.size - offset)
    return StreamingResponse(store.read(stored.storage_key, offset), 206, headers={**headers, **rest})


async def export(request: Request, signed_urls: SignedUrls, service: FileService) -> Response:
    """Generates an export and sends it."""
    claims = signed_urls.verify(EXPORT, request.path_params["link"])
    generated = await _while_connected(request, service.generate_export(claims))
    if generated is None:
        raise FileError(410, "This export is no longer available, or you may no longer see it.")
    try:
        name, content_type, content = generated.name, generated.content_type, generated.content
        if isinstance(content, bytes):
            headers = _headers(name, content_type, len(content), hashlib.sha256(content).hexdigest())
            response = Response(b"" if request.method == "HEAD" else content, headers=headers)
        else:
            response = await _file_response(request, name, content_type, content)
    except BaseException:
        generated.close()
        raise
    return ExportResponse(response, generated)


async def _while_connected(
    request: Request, making: Coroutine[Any, Any, GeneratedExport | None]
) -> GeneratedExport | None:
    """Returns what is made; cancels the work, and raises ClientDisconnect, once the client has disconnected."""
    work, leaving = asyncio.create_task(making), asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    except BaseException:
        work.cancel()
        await asyncio.wait({work})
        # It may have been made at the same moment.
        if not work.cancelled() and work.exception() is None and (generated := work.result()) is not None:
            generated.close()
        raise
    finally:
        leaving.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class ExportResponse(Response):
    """Sends another response, and closes its export afterwards, however the sending ends."""

    def __init__(self, response: Response, generated: GeneratedExport) -> None:
        super().__init__()
        self._response = response
        self._generated = generated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._response(scope, receive, send)
        finally:
            self._generated.close()


async def _file_response(request: Request, name: str, content_type: str, file: BinaryIO) -> Response:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")  # type: ignore[arg-type]  # has readinto
    headers = _headers(name, content_type, size, digest.hexdigest())
    if request.method == "HEAD":
        return Response(headers=headers)
    file.seek(0)

    async def body() -> AsyncIterator[bytes]:
        while chunk := await asyncio.to_thread(file.read, READ_CHUNK):
            yield chunk

    return StreamingResponse(body(), headers=headers)


class _CorruptFile(Exception):
    pass


async def _verified(chunks: AsyncIterator[bytes], stored: StoredDownload) -> AsyncIterator[bytes]:
    """Yields the chunks with a delay of one, so that the last is sent only if the digest of all is right."""
    digest = hashlib.sha256()
    previous: bytes | None = None
    async for chunk in chunks:
        digest.update(chunk)
        if previous is not None:
            yield previous
        previous = chunk
    if digest.hexdigest() != stored.sha256:
        raise _CorruptFile("the digest differs from the recorded one")
    if previous is not None:
        yield previous


def _headers(name: str, content_type: str, size: int, sha256: str) -> dict[str, str]:
    ascii_name = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    return {
        "Content-Type": content_type,
        "Content-Length": str(size),
        "Content-Disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "Accept-Ranges": "none",
        "ETag": f'"{sha256}"',
    }
