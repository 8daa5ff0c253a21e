"""Exports over HTTP: refusals say when to try again, and every way of ending a download frees its slot."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auth.signed_urls import EXPORT
from services.exports.slots import ExportSlots, TooManyExports
from services.quotas import Quotas
from services.storage.transfers import GeneratedExport
from tests.support.file_server import FileServer, file_server, signed_url
from transport.files.service import Claims

# More than the buffers of both sockets hold, so that a client that does not read keeps the server waiting.
LARGE = 64 * 1024 * 1024


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[FileServer, ExportSlots]]:
    """The file endpoints, where one user may make one export at once; the claims say how large it is."""
    slots = ExportSlots(Quotas(exports_viewer=1))

    async def generate(claims: Claims) -> GeneratedExport | None:
        if claims["what"] == "everybody's":
            raise TooManyExports("Too many exports are being made at the moment.", own=False)
        release = await slots.hold(7)
        if claims["what"] == "endless":
            try:
                await asyncio.Event().wait()
            finally:
                release()
        content = io.BytesIO(bytes(LARGE)) if claims["what"] == "large" else b"a,b\n"
        return GeneratedExport("export.zip", "application/zip", content, release)

    async with file_server(tmp_path) as running:
        monkeypatch.setattr(running.service, "generate_export", generate)
        yield running, slots


def url(what: str) -> str:
    return signed_url("exports", EXPORT, {"what": what})


async def freed(slots: ExportSlots) -> None:
    async with asyncio.timeout(10):
        while slots.held:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("what", ["small", "large"])
async def test_a_finished_download_frees_its_slot(
    server: tuple[FileServer, ExportSlots], what: str, method: str
) -> None:
    running, slots = server
    for _ in range(3):
        response = await running.client.request(method, url(what))
        assert response.status_code == 200
        assert len(response.content) == (0 if method == "HEAD" else {"small": 4, "large": LARGE}[what])
        await freed(slots)


async def test_a_slow_reader_has_the_slot_and_an_aborted_download_frees_it(
    server: tuple[FileServer, ExportSlots],
) -> None:
    running, slots = server
    with socket.create_connection(("127.0.0.1", running.port)) as slow:
        slow.sendall(f"GET {url('large')} HTTP/1.1\r\nHost: waymark.test\r\n\r\n".encode())
        async with asyncio.timeout(10):
            while not slots.held:
                await asyncio.sleep(0.01)
        refused = await running.client.get(url("small"))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        assert refused.json() == {
            "error": "You have an export in progress already. Wait until it is complete, then try again."
        }
    await freed(slots)
    assert (await running.client.get(url("small"))).status_code == 200


async def test_the_work_ends_when_the_client_goes_away(server: tuple[FileServer, ExportSlots]) -> None:
    running, slots = server
    with socket.create_connection(("127.0.0.1", running.port)) as impatient:
        impatient.sendall(f"GET {url('endless')} HTTP/1.1\r\nHost: waymark.test\r\n\r\n".encode())
        async with asyncio.timeout(10):
            while not slots.held:
                await asyncio.sleep(0.01)
    await freed(slots)


async def test_a_busy_server_says_when_to_try_again(server: tuple[FileServer, ExportSlots]) -> None:
    refused = await server[0].client.get(url("everybody's"))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert refused.json() == {"error": "Too many exports are being made at the moment."}
