"""Files over HTTP: `PUT /uploads/{link}`, `GET /downloads/{link}` and `GET /exports/{link}`, whoever holds the link."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from auth.signed_urls import DOWNLOAD, EXPORT, UPLOAD, InvalidSignedUrl, SignedUrls
from services.storage.file_store import READ_CHUNK, FileStore, StoredFile, StoreFull, StoreUnavailable, UploadTooLarge
from services.storage.transfers import ExpectedUpload, GeneratedExport, StoredDownload
from services.storage.upload_types import UnacceptableUpload, check_upload, kind_of

log = structlog.get_logger(__name__)

Claims = dict[str, Any]

# A body that stands still for so long is given up (seconds).
IDLE = 30.0
# How much of a refused body is still read, so that a client that only listens when it has sent all hears why.
DRAIN = 4 * 1024 * 1024
DRAIN_SECONDS = 5.0


class ExportServiceProtocol(Protocol):
    """What the endpoints ask of the rest of the house; each is given the claims that its link was signed with."""

    async def expected(self, claims: Claims) -> ExpectedUpload | None:
        """The announced file; None where it is no longer awaited."""

    async def received(self, claims: Claims, stored: StoredFile, content_type: str) -> StoredFile:
        """Records the bytes, unless some are recorded already, and gives what is on record: one transaction."""

    async def held(self, claims: Claims) -> StoredDownload | None:
        """The stored file; None where it is gone, or no longer open to whom the link was made for."""

    async def made(self, claims: Claims) -> GeneratedExport | None:
        """The export, made now; None where its subject is gone, or no longer open to whom the link was made for."""


def routes(
    links: SignedUrls, store: FileStore, export_service: ExportServiceProtocol, *, idle: float = IDLE
) -> list[Route]:
    """The three endpoints. `idle`: seconds without a byte after which an upload is given up.

    An upload is idempotent: the same bytes again answer 200 with the same JSON and change nothing; other bytes for a
    file that has arrived answer 409. A refusal is `{"error": sentence}` with 400 (fewer bytes than announced), 403 (not
    a link of ours), 408 (stood still), 409, 410 (expired or gone), 413 (more bytes than announced), 415 (not a kind of
    file that is kept), 500 (damaged in the store), 503 (the store does not answer) or 507 (no room).
    """

    async def upload(request: Request) -> Response:
        return await _answer(request, lambda: _upload(request, links, store, export_service, idle))

    async def download(request: Request) -> Response:
        return await _answer(request, lambda: _download(request, links, store, export_service))

    async def export(request: Request) -> Response:
        return await _answer(request, lambda: _export(request, links, export_service))

    return [
        Route("/uploads/{link}", upload, methods=["PUT"], name="upload"),
        Route("/downloads/{link}", download, methods=["GET"], name="download"),
        Route("/exports/{link}", export, methods=["GET"], name="export"),
    ]


class _Refusal(Exception):
    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


async def _answer(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    try:
        return await work()
    except _Refusal as refusal:
        status, sentence = refusal.status, str(refusal)
    except InvalidSignedUrl as refused:
        status, sentence = (410 if refused.expired else 403), f"{refused} Ask for a new one."
    except UnacceptableUpload as refused:
        status, sentence = 415, str(refused)
    except UploadTooLarge as oversize:
        status, sentence = 413, f"The file is larger than the {oversize.limit:,} bytes that were announced."
    except StoreFull:
        log.error("file_store_full")
        status, sentence = 507, "There is no room left for files. Nothing was kept; try again later."
    except StoreUnavailable as error:
        log.error("file_store_unavailable", cause=repr(error.__cause__)[:300])
        status, sentence = 503, "The file store does not answer. Nothing was changed; try again in a minute."
    except ClientDisconnect:
        return Response(status_code=400)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if request.method == "PUT":
        if status != 408:
            await _drain(request)
        headers["Connection"] = "close"  # or the server would go on taking in whatever is still being sent
    return JSONResponse({"error": sentence}, status, headers)


# ---------------------------------------------------------------- in


async def _upload(
    request: Request, links: SignedUrls, store: FileStore, export_service: ExportServiceProtocol, idle: float
) -> Response:
    claims = links.open(UPLOAD, request.path_params["link"])
    expected = await export_service.expected(claims)
    if expected is None:
        raise _Refusal(410, "This file is no longer awaited. Announce it again.")
    _check_headers(request, expected.size)
    kind = kind_of(expected.name)
    body = check_upload(_whole(_steady(request.stream(), idle), expected.size), kind)
    stored = await store.write(body, limit=expected.size)
    try:
        kept = await export_service.received(claims, stored, kind.content_type)
    except BaseException:
        await store.delete(stored.storage_key)
        raise
    if kept.storage_key != stored.storage_key:
        await store.delete(stored.storage_key)
        if kept.sha256 != stored.sha256:
            raise _Refusal(409, "Another file has already arrived under this link. Announce this one anew.")
    return JSONResponse(
        {"name": expected.name, "contentType": kind.content_type, "size": kept.size, "sha256": kept.sha256},
        201 if kept.storage_key == stored.storage_key else 200,
        {"Cache-Control": "no-store"},
    )


def _check_headers(request: Request, size: int) -> None:
    if "content-range" in request.headers:
        raise _Refusal(400, "Send the file in one piece, without Content-Range.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise _Refusal(415, "Send the file as it is, without Content-Encoding.")
    length = request.headers.get("content-length")
    if length is not None and int(length) > size:
        raise UploadTooLarge(size)
    if length is not None and int(length) < size:
        raise _Refusal(400, _short(int(length), size))


def _short(arrived: int, size: int) -> str:
    return f"{arrived:,} bytes were sent, but {size:,} were announced. Send the whole file again."


async def _steady(stream: AsyncIterator[bytes], idle: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(idle):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise _Refusal(408, "The upload stood still for too long. Nothing was kept; send the file again.") from None
        if chunk is None:
            return
        yield chunk


async def _whole(stream: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    arrived = 0
    async for chunk in stream:
        arrived += len(chunk)
        if arrived > size:
            raise UploadTooLarge(size)
        yield chunk
    if arrived < size:
        raise _Refusal(400, _short(arrived, size))


async def _drain(request: Request) -> None:
    read = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                read += len(chunk)
                if read > DRAIN:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return  # gone, standing still, or read to its end before


# ---------------------------------------------------------------- out


async def _download(
    request: Request, links: SignedUrls, store: FileStore, export_service: ExportServiceProtocol
) -> Response:
    held = await export_service.held(links.open(DOWNLOAD, request.path_params["link"]))
    if held is None:
        raise _Refusal(410, "This file is no longer here, or no longer open to you.")
    headers = _headers(held.name, held.content_type, held.size, held.sha256)
    if _unchanged(request, held.sha256):
        return _not_modified(headers)
    if request.method == "HEAD":
        return Response(headers=headers)
    chunks = _verified(store.read(held.storage_key), held)
    try:
        first = await anext(chunks, b"")
    except (FileNotFoundError, _Damaged) as error:
        log.error("stored_file_damaged", storage_key=held.storage_key, problem=str(error)[:200])
        raise _Refusal(500, "The stored file is damaged. Tell your training provider.") from None

    async def body() -> AsyncIterator[bytes]:
        yield first
        try:
            async for chunk in chunks:
                yield chunk
        except _Damaged as error:
            # The last chunk is withheld: with fewer bytes than Content-Length says, no client takes the file for whole.
            log.error("stored_file_damaged", storage_key=held.storage_key, problem=str(error))
            raise

    return StreamingResponse(body(), headers=headers)


async def _export(request: Request, links: SignedUrls, export_service: ExportServiceProtocol) -> Response:
    made = await export_service.made(links.open(EXPORT, request.path_params["link"]))
    if made is None:
        raise _Refusal(410, "This is no longer here, or no longer open to you.")
    if isinstance(made.content, bytes):
        headers = _headers(made.name, made.content_type, len(made.content), hashlib.sha256(made.content).hexdigest())
        return Response(b"" if request.method == "HEAD" else made.content, headers=headers)
    return await _large(request, made.name, made.content_type, made.content)


async def _large(request: Request, name: str, content_type: str, file: BinaryIO) -> Response:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
    headers = _headers(name, content_type, size, digest.hexdigest())
    if request.method == "HEAD":
        file.close()
        return Response(headers=headers)
    file.seek(0)

    async def body() -> AsyncIterator[bytes]:
        with file:
            while chunk := await asyncio.to_thread(file.read, READ_CHUNK):
                yield chunk

    return StreamingResponse(body(), headers=headers)


class _Damaged(Exception):
    pass


async def _verified(chunks: AsyncIterator[bytes], held: StoredDownload) -> AsyncIterator[bytes]:
    """The chunks, each one behind, so that the last goes out only when the digest of all of them is right."""
    digest = hashlib.sha256()
    waiting: bytes | None = None
    async for chunk in chunks:
        digest.update(chunk)
        if waiting is not None:
            yield waiting
        waiting = chunk
    if digest.hexdigest() != held.sha256:
        raise _Damaged("the digest is not the one on record")
    if waiting is not None:
        yield waiting


def _headers(name: str, content_type: str, size: int, sha256: str) -> dict[str, str]:
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    return {
        "Content-Type": content_type,
        "Content-Length": str(size),
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "Accept-Ranges": "none",
        "ETag": f'"{sha256}"',
    }


def _unchanged(request: Request, sha256: str) -> bool:
    return f'"{sha256}"' in request.headers.get("if-none-match", "")


def _not_modified(headers: dict[str, str]) -> Response:
    return Response(status_code=304, headers={k: v for k, v in headers.items() if k in {"ETag", "Cache-Control"}})
