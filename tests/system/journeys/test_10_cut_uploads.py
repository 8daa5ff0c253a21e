"""An upload whose connection is lost goes on where it was cut, and what nobody finishes is swept."""

import asyncio
import datetime as dt
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import func, select

from db.models.upload_part import UploadPart
from domain import clock
from repositories.file import referenced_storage_keys
from services.storage.atomic_write import INCOMING
from services.sweeper import Sweeper
from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer

CONTENT = b"Bled the brakes of a customer car today.\n" * 50_000
TYPE = "application/offset+octet-stream"


async def announce(person: HttpClient, size: int) -> tuple[str, str]:
    """Announces a file; returns its id and its upload URL."""
    announced = {"name": "notes.txt", "contentType": "text/plain", "size": size}
    upload = await person.mutate("fileUploadCreate", input=announced)
    return upload["fileId"], upload["url"]


async def send_and_cut(url: str, content: bytes, incoming: Path) -> None:
    """Sends the beginning of a file, and resets the connection once the server has written some of it."""
    address = urlsplit(url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"PATCH {address.path} HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nUpload-Offset: 0\r\n"
    writer.write(f"{head}Content-Length: {len(CONTENT)}\r\n\r\n".encode() + content)
    await writer.drain()
    async with asyncio.timeout(60):
        while not any(path.stat().st_size for path in incoming.iterdir()):
            await asyncio.sleep(0.02)
    writer.transport.abort()


async def stored_parts(running: RunningServer) -> int:
    async with running.server.services.database.snapshot() as session:
        return await session.scalar(select(func.count()).select_from(UploadPart)) or 0


async def test_an_upload_that_was_cut_goes_on(demo: Demo, backend: str) -> None:
    async with demo.serving(backend) as running, running.signed_in("learner") as ada, httpx2.AsyncClient() as http:
        _, url = await announce(ada, len(CONTENT))
        await send_and_cut(url, CONTENT[:1_500_000], Path(running.server.settings.files_location) / INCOMING)
        async with asyncio.timeout(60):
            while not await stored_parts(running):
                await asyncio.sleep(0.02)
        begun = int((await http.head(url)).headers["upload-offset"])
        assert 1_000_000 < begun <= 1_500_000
        sent = {"content-type": TYPE, "upload-offset": str(begun), "tus-resumable": "1.0.0"}
        ended = await http.patch(url, content=CONTENT[begun:], headers=sent)
        assert (ended.status_code, ended.headers["upload-offset"]) == (204, str(len(CONTENT)))
        assert await stored_parts(running) == 0
        # The same bytes in one piece are the same file.
        assert (await http.put(url, content=CONTENT)).status_code == 200


@pytest.mark.parametrize("backend", ["sqlite"])
async def test_parts_that_nobody_finishes_are_swept(demo: Demo, backend: str) -> None:
    async with demo.serving(backend) as running, running.signed_in("learner") as ada, httpx2.AsyncClient() as http:
        database, files = running.server.services.database, running.server.services.files
        _, url = await announce(ada, len(CONTENT))
        part = await http.patch(url, content=CONTENT[:1000], headers={"content-type": TYPE, "upload-offset": "0"})
        assert part.status_code == 204
        async with database.snapshot() as session:
            (storage_key,) = await session.scalars(select(UploadPart.storage_key))
        # A server that starts does not take it for a file that no record uses.
        assert await referenced_storage_keys(database, [storage_key]) == [storage_key]
        swept = await Sweeper(database, files).sweep(clock.now() + dt.timedelta(days=1, minutes=1))
        assert swept["upload_part"] == 1
        assert not await files.exists(storage_key)
        assert (await http.head(url)).headers["upload-offset"] == "0"
