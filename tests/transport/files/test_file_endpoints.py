"""Uploads and downloads against a real server: every status, no bytes of rejected uploads, constant memory."""

import asyncio
import contextlib
import hashlib
import os
import tracemalloc

import httpx2
import pytest

from auth.signed_urls import DOWNLOAD, EXPORT, UPLOAD, InvalidSignedUrl
from db.worker_process import WorkerFailed
from services.storage.file_store import FileStore, StoreFull
from tests.support.file_server import file_server, signed_url

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4000


@pytest.fixture
async def server(tmp_path):
    async with file_server(tmp_path) as running:
        yield running


def assert_error(response: httpx2.Response, status: int, words: str) -> None:
    assert response.status_code == status
    assert words in response.json()["error"]


async def test_an_upload_can_be_downloaded(server):
    arrived = await server.client.put(server.announce('Ffôn "x".pdf', len(PDF)), content=PDF)
    assert arrived.status_code == 201
    digest = hashlib.sha256(PDF).hexdigest()
    assert arrived.json() == {
        "name": 'Ffôn "x".pdf',
        "contentType": "application/pdf",
        "size": len(PDF),
        "sha256": digest,
    }
    got = await server.client.get(signed_url("downloads", DOWNLOAD, {"file": 1}))
    assert got.status_code == 200
    assert got.content == PDF
    assert got.headers["content-length"] == str(len(PDF))
    assert got.headers["content-type"] == "application/pdf"
    assert (
        got.headers["content-disposition"]
        == "attachment; filename=\"Ff_n _x_.pdf\"; filename*=UTF-8''Ff%C3%B4n%20%22x%22.pdf"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["cache-control"] == "private, no-store"
    assert got.headers["etag"] == f'"{digest}"'


async def test_head_and_an_unchanged_file_send_no_bytes(server):
    await server.client.put(server.announce("a.pdf", len(PDF)), content=PDF)
    url = signed_url("downloads", DOWNLOAD, {"file": 1})
    head = await server.client.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PDF)))
    same = await server.client.get(url, headers={"If-None-Match": head.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


async def test_the_same_bytes_again_change_nothing_and_other_bytes_are_rejected(server):
    url = server.announce("a.pdf", len(PDF))
    first = await server.client.put(url, content=PDF)
    again = await server.client.put(url, content=PDF)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert_error(await server.client.put(url, content=PDF[:-1] + b"!"), 409, "already uploaded")
    assert len(server.stored_files()) == 1
    assert (await server.client.get(signed_url("downloads", DOWNLOAD, {"file": 1}))).content == PDF


async def test_ten_uploads_at_once_store_one_file(server):
    url = server.announce("a.pdf", len(PDF))
    answers = await asyncio.gather(*[server.client.put(url, content=PDF) for _ in range(10)])
    statuses = sorted(answer.status_code for answer in answers)
    # Some are refused: each would take the room of the whole file.
    assert statuses.count(201) == 1 and set(statuses) <= {200, 201, 423}
    assert len(server.stored_files()) == 1


async def body(*chunks: bytes):
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("streamed", [False, True])
async def test_more_or_fewer_bytes_than_announced(server, streamed):
    def content(data: bytes):
        return body(data[:100], data[100:]) if streamed else data

    url = server.announce("a.pdf", 1000)
    assert_error(await server.client.put(url, content=content(PDF[:1001])), 413, "larger than the 1,000 bytes")
    assert_error(await server.client.put(url, content=content(PDF[:999])), 400, "999 bytes were sent, but 1,000")
    assert server.stored_files() == []
    assert (await server.client.put(url, content=content(PDF[:1000]))).status_code == 201


async def test_an_endless_body_is_not_read_to_its_end(server):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 10**9:
            sent += 65536
            yield bytes(65536)

    url = server.announce("a.pdf", 1000)
    # The server may close the connection while the client is sending.
    with contextlib.suppress(httpx2.NetworkError):
        assert_error(await server.client.put(url, content=endless()), 413, "larger")
    assert sent < 10**8
    assert server.stored_files() == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", b"<html><script>alert(1)</script>", "content is something else"),
        ("a.jpg", b"\x89PNG\r\n\x1a\n....", "it is a PNG picture"),
        ("a.txt", b"text\x00", "content is something else"),
        ("a.html", b"<html>", "Print it to PDF"),
    ],
)
async def test_other_types_are_rejected(server, name, content, words):
    assert_error(await server.client.put(server.announce(name, len(content)), content=content), 415, words)
    assert server.stored_files() == []


async def test_encoded_and_partial_bodies(server):
    url = server.announce("a.pdf", len(PDF))
    assert_error(await server.client.put(url, content=PDF, headers={"Content-Encoding": "gzip"}), 415, "unencoded")
    assert_error(await server.client.put(url, content=PDF, headers={"Content-Range": "bytes 0-1/2"}), 400, "one piece")


async def test_links_that_are_invalid_expired_or_for_another_purpose(server):
    good = server.announce("a.pdf", len(PDF))
    assert_error(await server.client.put(good[:-1], content=PDF), 403, "not valid")
    assert_error(await server.client.put("/uploads/x", content=PDF), 403, "not valid")
    assert_error(await server.client.put(signed_url("uploads", DOWNLOAD, {"file": 1}), content=PDF), 403, "not valid")
    assert_error(await server.client.put(signed_url("uploads", UPLOAD, {"file": 1}, -1), content=PDF), 410, "expired")
    assert_error(
        await server.client.put(signed_url("uploads", UPLOAD, {"file": 9}), content=PDF), 410, "no longer valid"
    )
    assert_error(await server.client.get(signed_url("downloads", UPLOAD, {"file": 1})), 403, "not valid")
    assert_error(await server.client.get(signed_url("downloads", DOWNLOAD, {"file": 1}, -1)), 410, "expired")
    assert_error(await server.client.get(signed_url("downloads", DOWNLOAD, {"file": 1})), 410, "no longer exists")
    assert_error(await server.client.get(signed_url("downloads", EXPORT, {"what": "time"})), 403, "not valid")
    assert_error(await server.client.get(signed_url("exports", EXPORT, {"what": "gone"})), 410, "no longer available")
    assert (await server.client.get(good)).status_code == 405
    assert server.stored_files() == []


async def test_an_export_is_an_attachment(server):
    got = await server.client.get(signed_url("exports", EXPORT, {"what": "time"}))
    assert (got.status_code, got.content) == (200, b"a,b\n")
    assert got.headers["content-disposition"].startswith('attachment; filename="time.csv"')
    assert got.headers["cache-control"] == "private, no-store"


async def test_a_full_store_is_507_until_there_is_space(server, monkeypatch):
    async def full(self, stream, *, limit):
        raise StoreFull

    url = server.announce("a.pdf", len(PDF))
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "write", full)
        assert_error(await server.client.put(url, content=PDF), 507, "full")
    assert (await server.client.put(url, content=PDF)).status_code == 201


async def test_an_export_that_no_worker_could_write_is_503(server, monkeypatch):
    async def failing(self, claims):
        raise WorkerFailed("too many calls wait for a worker process")

    monkeypatch.setattr(type(server.service), "generate_export", failing)
    assert_error(await server.client.get(signed_url("exports", EXPORT, {"what": "time"})), 503, "Try again")


async def test_bytes_that_are_not_recorded_are_deleted(server):
    url = server.announce("a.pdf", len(PDF))
    server.service.failure = InvalidSignedUrl()
    assert (await server.client.put(url, content=PDF)).status_code == 403
    assert server.stored_files() == []
    server.service.failure = None
    assert (await server.client.put(url, content=PDF)).status_code == 201


async def test_bytes_that_may_be_recorded_are_kept_for_the_sweep(server):
    url = server.announce("a.pdf", len(PDF))
    server.service.failure = RuntimeError("the answer to the commit was lost")
    assert (await server.client.put(url, content=PDF)).status_code == 500
    assert len(server.stored_files()) == 1


async def test_an_idle_upload_is_408(server):
    url = server.announce("a.pdf", 1000)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n%PDF-1.7".encode())
    answer = await reader.read(2000)
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert server.stored_files() == []


async def test_a_client_that_disconnects_leaves_no_file(server):
    url = server.announce("a.pdf", 10_000_000)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n".encode() + PDF)
    await writer.drain()
    while not server.stored_files():
        await asyncio.sleep(0.01)
    writer.close()
    while server.stored_files():
        await asyncio.sleep(0.01)
    assert server.service.records == {}


@pytest.mark.parametrize("size", [1000, len(PDF)])
async def test_one_changed_byte_in_the_store_is_never_given_out_as_whole(server, size):
    await server.client.put(server.announce("a.pdf", size), content=PDF[:size])
    [path] = server.stored_files()
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(b"~~")
    url = signed_url("downloads", DOWNLOAD, {"file": 1})
    if size == 1000:
        assert_error(await server.client.get(url), 500, "damaged")
    else:
        with pytest.raises(httpx2.RemoteProtocolError):
            await server.client.get(url)


async def test_a_file_that_is_missing_in_the_store_is_reported_as_damaged(server):
    await server.client.put(server.announce("a.pdf", len(PDF)), content=PDF)
    os.unlink(server.stored_files()[0])
    assert_error(await server.client.get(signed_url("downloads", DOWNLOAD, {"file": 1})), 500, "damaged")


async def test_memory_stays_flat_for_fifty_megabytes(server):
    chunk = bytes(65536)
    size = 800 * len(chunk) + 9

    async def large():
        yield b"%PDF-1.7\n"
        for _ in range(800):
            yield chunk

    url = server.announce("a.pdf", size)
    tracemalloc.start()
    try:
        assert (await server.client.put(url, content=large())).status_code == 201
        taken = 0
        async with server.client.stream("GET", signed_url("downloads", DOWNLOAD, {"file": 1})) as got:
            async for part in got.aiter_bytes():
                taken += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken == size
    assert peak < 12_000_000
