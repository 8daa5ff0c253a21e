"""Uploads that were cut go on (tus 1.0), on a store in a folder and on an object store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from auth.signed_urls import DOWNLOAD, UPLOAD
from services.storage.file_store import FileStore
from tests.support.file_server import FileServer, file_server, signed_url
from transport.files import resumed_uploads
from transport.files.upload_connections import MAX_CONNECTIONS

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
TYPE = "application/offset+octet-stream"


@pytest.fixture(params=["folder", "object store"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FileServer]:
    store = None if request.param == "folder" else FileStore(MemoryStore())
    async with file_server(tmp_path, store) as running:
        yield running


async def send(server: FileServer, url: str, offset: object, content: bytes, **headers: str):
    sent = {"content-type": TYPE, "upload-offset": str(offset), "tus-resumable": "1.0.0", **headers}
    return await server.client.patch(url, content=content, headers=sent)


async def offset(server: FileServer, url: str) -> int:
    answer = await server.client.head(url)
    assert (answer.status_code, answer.headers["tus-resumable"], answer.headers["cache-control"]) == (
        200, "1.0.0", "no-store",
    )  # fmt: skip
    return int(answer.headers["upload-offset"])


async def test_a_file_arrives_in_parts(server: FileServer) -> None:
    url = server.announce("a.pdf", len(PDF))
    assert await offset(server, url) == 0
    assert (await server.client.head(url)).headers["upload-length"] == str(len(PDF))
    for start, end in ((0, 100), (100, 5000), (5000, len(PDF))):
        answer = await send(server, url, start, PDF[start:end])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
        assert await offset(server, url) == end
    # As a client does that has lost the answer.
    assert (await send(server, url, len(PDF), b"")).status_code == 204
    recorded, content_type = server.service.records[1]
    assert (recorded.sha256, recorded.size, content_type) == (
        hashlib.sha256(PDF).hexdigest(), len(PDF), "application/pdf",
    )  # fmt: skip
    got = await server.client.get(signed_url("downloads", DOWNLOAD, {"file": 1}))
    assert got.content == PDF
    assert server.service.parts == {}


async def test_a_part_that_stalls_is_kept_and_answered_408(server: FileServer) -> None:
    url = server.announce("a.pdf", len(PDF))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"PATCH {url} HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nUpload-Offset: 0\r\n"
    writer.write(f"{head}Content-Length: {len(PDF)}\r\n\r\n".encode() + PDF[:5000])
    assert (await reader.read(2000)).startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert await offset(server, url) == 5000
    assert (await send(server, url, 5000, PDF[5000:])).status_code == 204
    assert server.service.records[1][0].sha256 == hashlib.sha256(PDF).hexdigest()


async def test_two_parts_for_one_place_are_stored_once(server: FileServer) -> None:
    url = server.announce("a.pdf", len(PDF))
    answers = await asyncio.gather(*(send(server, url, 0, PDF[:4000]) for _ in range(5)))
    first, *others = sorted(answer.status_code for answer in answers)
    assert first == 204 and set(others) <= {409, 423}
    assert await offset(server, url) == 4000
    assert len(server.service.parts[1]) == 1


async def test_few_connections_send_one_file_at_once(server: FileServer) -> None:
    """Each of them may take the room of the whole file until it ends."""
    url, waiting, arrived = server.announce("a.pdf", len(PDF)), asyncio.Event(), asyncio.Semaphore(0)

    async def slow() -> AsyncIterator[bytes]:
        yield PDF[:5000]
        arrived.release()
        await waiting.wait()
        yield PDF[5000:]

    sending = [
        asyncio.create_task(server.client.put(url, content=slow(), headers={"content-type": "application/pdf"}))
        for _ in range(MAX_CONNECTIONS)
    ]
    for _ in sending:
        await arrived.acquire()
    refused = await send(server, url, 0, PDF)
    assert refused.status_code == 423
    assert "Wait until they end" in refused.json()["error"]
    assert await offset(server, url) == 0
    waiting.set()
    assert {answer.status_code for answer in await asyncio.gather(*sending)} <= {200, 201}
    assert (await server.client.put(url, content=PDF)).status_code == 200


@pytest.mark.parametrize(
    ("start", "content", "headers", "status"),
    [
        (5, b"x", {}, 409),
        ("", b"x", {}, 400),
        ("-1", b"x", {}, 400),
        ("²", b"x", {}, 400),
        (100, b"x", {"content-type": "application/pdf"}, 415),
        (100, b"x", {"content-encoding": "gzip"}, 415),
        (100, b"x", {"tus-resumable": "0.2.2"}, 412),
        (100, b"x" * len(PDF), {}, 413),
    ],
)
async def test_what_cannot_go_on_changes_nothing(
    server: FileServer, start: object, content: bytes, headers: dict[str, str], status: int
) -> None:
    url = server.announce("a.pdf", len(PDF))
    assert (await send(server, url, 0, PDF[:100])).status_code == 204
    encoded = {name: value.encode() for name, value in headers.items()}
    sent = {"content-type": TYPE, "upload-offset": str(start).encode("latin-1"), "tus-resumable": "1.0.0", **encoded}
    answer = await server.client.patch(url, content=content, headers=sent)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert await offset(server, url) == 100


async def test_a_stream_that_is_too_long_is_refused(server: FileServer) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield PDF
        yield b"x"

    url = server.announce("a.pdf", len(PDF))
    answer = await server.client.patch(url, content=endless(), headers={"content-type": TYPE, "upload-offset": "0"})
    assert answer.status_code == 413
    assert await offset(server, url) == 0


async def test_content_that_is_not_accepted_is_dropped_with_its_parts(server: FileServer) -> None:
    at_once, late = server.announce("a.pdf", len(PDF), 1), server.announce("b.txt", 2000, 2)
    # The beginning of a file says what it is, so the rest need not arrive.
    refused = await send(server, at_once, 0, b"GIF89a" + bytes(9000))
    assert (refused.status_code, await offset(server, at_once)) == (415, 0)
    assert (await send(server, late, 0, b"a" * 1000)).status_code == 204
    refused = await send(server, late, 1000, b"\x00" * 1000)
    assert (refused.status_code, await offset(server, late)) == (415, 0)
    assert server.service.parts == {}


async def test_an_upload_is_not_cut_for_ever(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumed_uploads, "MAX_PARTS", 2)
    url = server.announce("a.pdf", len(PDF))
    for start in (0, 1):
        assert (await send(server, url, start, PDF[start : start + 1])).status_code == 204
    assert (await send(server, url, 2, PDF[2:])).status_code == 410
    # In one piece it is still accepted.
    assert (await server.client.put(url, content=PDF)).status_code == 201
    assert server.service.parts == {}


async def test_a_part_that_the_store_has_lost_is_sent_again(server: FileServer) -> None:
    url = server.announce("a.pdf", len(PDF))
    await send(server, url, 0, PDF[:100])
    await server.service.store.delete(server.service.parts[1][0].storage_key)
    assert (await send(server, url, 100, PDF[100:])).status_code == 409
    assert await offset(server, url) == 0
    assert (await send(server, url, 0, PDF)).status_code == 204


async def test_links_that_are_not_valid_are_refused(server: FileServer) -> None:
    gone = signed_url("uploads", UPLOAD, {"file": 9})
    for url, status in ((gone, 410), (signed_url("uploads", DOWNLOAD, {"file": 1}), 403)):
        assert (await server.client.head(url)).status_code == status
        assert (await send(server, url, 0, PDF)).status_code == status
