"""Uploads and downloads over HTTP, against a real server: every status, nothing kept that was refused, memory flat."""

import asyncio
import datetime as dt
import hashlib
import os
import socket
import tracemalloc
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from auth.signed_urls import DOWNLOAD, EXPORT, UPLOAD, SignedUrls
from domain import clock
from services.storage.file_store import FileStore, StoredFile, StoreFull, open_store
from services.storage.transfers import ExpectedUpload, GeneratedExport, StoredDownload
from transport.files.file_endpoints import routes

LINKS = SignedUrls(bytes(range(32)))
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4000


class Desk:
    """A desk that keeps its records in memory: what arrived first stays."""

    def __init__(self):
        self.announced: dict[int, ExpectedUpload] = {}
        self.records: dict[int, tuple[StoredFile, str]] = {}
        self.broken = False

    async def expected(self, claims):
        return self.announced.get(claims["file"])

    async def received(self, claims, stored, content_type):
        if self.broken:
            raise RuntimeError("the database is gone")
        return self.records.setdefault(claims["file"], (stored, content_type))[0]

    async def held(self, claims):
        if claims["file"] not in self.records:
            return None
        stored, content_type = self.records[claims["file"]]
        return StoredDownload(
            self.announced[claims["file"]].name, content_type, stored.size, stored.sha256, stored.storage_key
        )

    async def made(self, claims):
        return GeneratedExport(f"{claims['what']}.csv", "text/csv", b"a,b\n") if claims["what"] != "gone" else None


class Site:
    """The running server, its desk and store, and a client."""

    def __init__(self, client: httpx2.AsyncClient, export_service: Desk, store: FileStore, folder: Path, port: int):
        self.client, self.export_service, self.store, self.folder, self.port = (
            client,
            export_service,
            store,
            folder,
            port,
        )

    def announce(self, name: str, size: int, file: int = 1) -> str:
        self.export_service.announced[file] = ExpectedUpload(name, size)
        return link("uploads", UPLOAD, {"file": file})

    def kept(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def link(path: str, purpose: str, claims: dict, minutes: int = 5) -> str:
    return f"/{path}/{LINKS.sign(purpose, claims, clock.now() + dt.timedelta(minutes=minutes))}"


@pytest.fixture
async def site(tmp_path):
    export_service, store = Desk(), open_store(tmp_path)
    app = Starlette(routes=routes(LINKS, store, export_service, idle=0.5))
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield Site(client, export_service, store, tmp_path, port)
    server.should_exit = True
    await serving


async def refused(response: httpx2.Response, status: int, words: str) -> None:
    assert response.status_code == status
    assert words in response.json()["error"]


async def test_up_and_down_again(site):
    arrived = await site.client.put(site.announce('Ffôn "x".pdf', len(PDF)), content=PDF)
    assert arrived.status_code == 201
    digest = hashlib.sha256(PDF).hexdigest()
    assert arrived.json() == {
        "name": 'Ffôn "x".pdf',
        "contentType": "application/pdf",
        "size": len(PDF),
        "sha256": digest,
    }
    got = await site.client.get(link("downloads", DOWNLOAD, {"file": 1}))
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


async def test_head_and_an_unchanged_file_send_no_bytes(site):
    await site.client.put(site.announce("a.pdf", len(PDF)), content=PDF)
    url = link("downloads", DOWNLOAD, {"file": 1})
    head = await site.client.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PDF)))
    same = await site.client.get(url, headers={"If-None-Match": head.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


async def test_the_same_bytes_again_change_nothing_and_other_bytes_are_refused(site):
    url = site.announce("a.pdf", len(PDF))
    first = await site.client.put(url, content=PDF)
    again = await site.client.put(url, content=PDF)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    await refused(await site.client.put(url, content=PDF[:-1] + b"!"), 409, "already arrived")
    assert len(site.kept()) == 1
    assert (await site.client.get(link("downloads", DOWNLOAD, {"file": 1}))).content == PDF


async def test_ten_at_once_are_one(site):
    url = site.announce("a.pdf", len(PDF))
    answers = await asyncio.gather(*[site.client.put(url, content=PDF) for _ in range(10)])
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len(site.kept()) == 1


async def body(*chunks: bytes):
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("streamed", [False, True])
async def test_more_or_fewer_bytes_than_announced(site, streamed):
    def content(data: bytes):
        return body(data[:100], data[100:]) if streamed else data

    url = site.announce("a.pdf", 1000)
    await refused(await site.client.put(url, content=content(PDF[:1001])), 413, "larger than the 1,000 bytes")
    await refused(await site.client.put(url, content=content(PDF[:999])), 400, "999 bytes were sent, but 1,000")
    assert site.kept() == []
    assert (await site.client.put(url, content=content(PDF[:1000]))).status_code == 201


async def test_an_endless_body_is_cut(site):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 10**9:
            sent += 65536
            yield bytes(65536)

    url = site.announce("a.pdf", 1000)
    try:
        await refused(await site.client.put(url, content=endless()), 413, "larger")
    except httpx2.NetworkError:
        pass  # it was still sending when the server hung up
    assert sent < 10**8
    assert site.kept() == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", b"<html><script>alert(1)</script>", "content is something else"),
        ("a.jpg", b"\x89PNG\r\n\x1a\n....", "it is a PNG picture"),
        ("a.txt", b"text\x00", "content is something else"),
        ("a.html", b"<html>", "Print it to PDF"),
    ],
)
async def test_what_is_not_on_the_list(site, name, content, words):
    await refused(await site.client.put(site.announce(name, len(content)), content=content), 415, words)
    assert site.kept() == []


async def test_encoded_and_partial_bodies(site):
    url = site.announce("a.pdf", len(PDF))
    await refused(await site.client.put(url, content=PDF, headers={"Content-Encoding": "gzip"}), 415, "as it is")
    await refused(await site.client.put(url, content=PDF, headers={"Content-Range": "bytes 0-1/2"}), 400, "one piece")


async def test_links_that_are_not_ours_expired_or_for_something_else(site):
    good = site.announce("a.pdf", len(PDF))
    await refused(await site.client.put(good[:-1], content=PDF), 403, "not valid")
    await refused(await site.client.put("/uploads/x", content=PDF), 403, "not valid")
    await refused(await site.client.put(link("uploads", DOWNLOAD, {"file": 1}), content=PDF), 403, "not valid")
    await refused(await site.client.put(link("uploads", UPLOAD, {"file": 1}, -1), content=PDF), 410, "expired")
    await refused(await site.client.put(link("uploads", UPLOAD, {"file": 9}), content=PDF), 410, "no longer awaited")
    await refused(await site.client.get(link("downloads", UPLOAD, {"file": 1})), 403, "not valid")
    await refused(await site.client.get(link("downloads", DOWNLOAD, {"file": 1}, -1)), 410, "expired")
    await refused(await site.client.get(link("downloads", DOWNLOAD, {"file": 1})), 410, "no longer here")
    await refused(await site.client.get(link("downloads", EXPORT, {"what": "time"})), 403, "not valid")
    await refused(await site.client.get(link("exports", EXPORT, {"what": "gone"})), 410, "no longer here")
    assert (await site.client.get(good)).status_code == 405
    assert site.kept() == []


async def test_an_export_is_an_attachment(site):
    got = await site.client.get(link("exports", EXPORT, {"what": "time"}))
    assert (got.status_code, got.content) == (200, b"a,b\n")
    assert got.headers["content-disposition"].startswith('attachment; filename="time.csv"')
    assert got.headers["cache-control"] == "private, no-store"


async def test_no_room_is_507_and_passes(site, monkeypatch):
    async def full(self, stream, *, limit):
        raise StoreFull

    url = site.announce("a.pdf", len(PDF))
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "write", full)
        await refused(await site.client.put(url, content=PDF), 507, "no room")
    assert (await site.client.put(url, content=PDF)).status_code == 201


async def test_bytes_without_a_record_are_not_kept(site):
    url = site.announce("a.pdf", len(PDF))
    site.export_service.broken = True
    assert (await site.client.put(url, content=PDF)).status_code == 500
    assert site.kept() == []
    site.export_service.broken = False
    assert (await site.client.put(url, content=PDF)).status_code == 201


async def test_a_body_that_stands_still_is_given_up(site):
    url = site.announce("a.pdf", 1000)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n%PDF-1.7".encode())
    answer = await reader.read(2000)
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert site.kept() == []


async def test_a_client_that_goes_away_leaves_nothing(site):
    url = site.announce("a.pdf", 10_000_000)
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n".encode() + PDF)
    await writer.drain()
    while not site.kept():
        await asyncio.sleep(0.01)
    writer.close()
    while site.kept():
        await asyncio.sleep(0.01)
    assert site.export_service.records == {}


@pytest.mark.parametrize("size", [1000, len(PDF)])
async def test_one_changed_byte_in_the_store_is_never_given_out_as_whole(site, size):
    await site.client.put(site.announce("a.pdf", size), content=PDF[:size])
    [path] = site.kept()
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(b"~~")
    url = link("downloads", DOWNLOAD, {"file": 1})
    if size == 1000:
        await refused(await site.client.get(url), 500, "damaged")
    else:
        with pytest.raises(httpx2.RemoteProtocolError):
            await site.client.get(url)


async def test_a_file_that_is_missing_in_the_store_is_said_to_be_damaged(site):
    await site.client.put(site.announce("a.pdf", len(PDF)), content=PDF)
    os.unlink(site.kept()[0])
    await refused(await site.client.get(link("downloads", DOWNLOAD, {"file": 1})), 500, "damaged")


async def test_memory_stays_flat_for_fifty_megabytes(site):
    chunk = bytes(65536)
    size = 800 * len(chunk) + 9

    async def large():
        yield b"%PDF-1.7\n"
        for _ in range(800):
            yield chunk

    url = site.announce("a.pdf", size)
    tracemalloc.start()
    try:
        assert (await site.client.put(url, content=large())).status_code == 201
        taken = 0
        async with site.client.stream("GET", link("downloads", DOWNLOAD, {"file": 1})) as got:
            async for part in got.aiter_bytes():
                taken += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken == size
    assert peak < 12_000_000
