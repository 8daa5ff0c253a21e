"""The file store cannot be reached: the server starts and works, /ready says so, and an upload gives up in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.server_process import ServerProcess, server_process

UPLOAD_SECONDS = 30
# Else every ten seconds.
OFTEN = {"transport.health.FRESH_UPLOADS_SECONDS": 0.5}
CONTENT = b"a line of text.\n" * 1000
ANNOUNCE = (
    'mutation { fileUploadCreate(input: { name: "notes.txt", contentType: "text/plain", size: 16000 }) '
    "{ upload { url } errors { code } } }"
)


@asynccontextmanager
async def silent_port() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port that accepts connections and never answers, and the first lines of its requests."""
    asked: list[bytes] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append(await reader.readline())
            while await reader.read(65536):
                pass
        finally:
            writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


async def upload_status(person: HttpClient) -> int:
    """Announces a file and sends it; fails if that takes longer than promised."""
    url = (await person.data(ANNOUNCE))["fileUploadCreate"]["upload"]["url"]
    async with asyncio.timeout(UPLOAD_SECONDS):
        return (await person.http.put(url, content=CONTENT)).status_code


async def uploads_in_ready(person: HttpClient, expected: str) -> None:
    """Waits until /ready says so; the server stays ready."""
    async with asyncio.timeout(30):
        while True:
            ready = await person.http.get("/ready")
            assert ready.status_code == 200, ready.text
            if ready.json()["uploads"] == expected:
                return
            await asyncio.sleep(0.5)


def events(server: ServerProcess) -> list[str]:
    return [line["event"] for line in server.log()]


# By default an upload waits for most of the time that it may take.
@pytest.mark.parametrize("options", [{"AWS_TIMEOUT": "2 seconds"}, pytest.param({}, marks=pytest.mark.long)])
async def test_an_object_store_that_does_not_answer(demo: Demo, tmp_path: Path, options: dict[str, str]) -> None:
    url = await demo.copied("sqlite", tmp_path)
    async with silent_port() as (port, asked):
        environment = {
            "WAYMARK_FILES_URL": "s3://evidence/waymark",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "eu-west-2",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            **options,
        }
        async with server_process(url, tmp_path, OFTEN, **environment) as server, server.signed_in("learner") as ada:
            await uploads_in_ready(ada, "the file store does not answer")
            assert await upload_status(ada) == 503
            # The check reads a file that cannot be there, and the upload begins.
            assert {line.split()[0] for line in asked} >= {b"HEAD", b"POST"}
            assert "errors" not in await ada.response("{ viewer { user { name } } }")
            assert events(server).count("uploads_not_ready") == 1
            assert "unhandled_exception" not in events(server)


async def test_a_folder_that_is_gone_and_comes_back(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("sqlite", tmp_path)
    files, moved = tmp_path / "files", tmp_path / "moved"
    async with server_process(url, tmp_path, OFTEN) as server, server.signed_in("learner") as ada:
        await uploads_in_ready(ada, "ok")
        files.rename(moved)
        assert await upload_status(ada) == 503
        await uploads_in_ready(ada, "the folder of the file store cannot be written")
        # It is a disk that is not mounted: nothing may be written in its place.
        assert not files.exists()
        moved.rename(files)
        assert await upload_status(ada) == 201
        await uploads_in_ready(ada, "ok")
        assert [name for name in events(server) if name.startswith("uploads_")] == [
            "uploads_not_ready", "uploads_ready_again",
        ]  # fmt: skip
        assert "unhandled_exception" not in events(server)


async def test_a_server_starts_without_its_folder(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("sqlite", tmp_path)
    files, moved = tmp_path / "files", tmp_path / "moved"
    files.rename(moved)
    files.write_text("a file where the folder should be")
    async with server_process(url, tmp_path, OFTEN) as server, server.signed_in("learner") as ada:
        await uploads_in_ready(ada, "the folder of the file store cannot be written")
        assert await upload_status(ada) == 503
        files.unlink()
        moved.rename(files)
        assert await upload_status(ada) == 201
        await uploads_in_ready(ada, "ok")
        assert "file_store_unavailable" in events(server)
