"""The disk fills up: uploads answer 507, writes 503 or 507, reading goes on; with room again, so does everything.

A process may be told that its files must not grow (RLIMIT_FSIZE): for whoever writes, that is a full disk.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from db.database import Database
from services.audit.verify import find_problems
from services.storage.file_store import open_store
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.support.server_process import server_process

if sys.platform == "linux":
    import resource

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")

CREATE = 'mutation { employerCreate(input: { name: "%s" }) { employer { id } errors { code } } }'
ANNOUNCE = (
    'mutation { fileUploadCreate(input: { name: "long.txt", contentType: "text/plain", size: 3000000 }) '
    "{ upload { fileId url } errors { code } } }"
)


@contextmanager
def full_disk(pid: int, size: int) -> Iterator[None]:
    """No file of the process grows beyond `size` bytes."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def test_no_room_for_uploads(demo: Demo, tmp_path: Path) -> None:
    content = b"a line of text.\n" * 187_500
    url = await demo.copied("sqlite", tmp_path)
    # What the server logs stands in a file too.
    async with server_process(url, tmp_path) as server, server.signed_in("learner") as ada:
        place = (await ada.data(ANNOUNCE))["fileUploadCreate"]["upload"]
        with full_disk(server.pid, 2_000_000):
            full = await ada.http.put(place["url"], content=content)
            assert full.status_code == 507
            assert "full" in full.json()["error"]
            assert list((tmp_path / "files" / "incoming").iterdir()) == []
            assert "errors" not in await ada.response("{ viewer { user { name } } }")
        assert (await ada.http.put(place["url"], content=content)).status_code == 201
        assert "file_store_full" in [line["event"] for line in server.log()]
    database = Database(url)
    assert [line async for line in find_problems(database, open_store(tmp_path / "files"))] == []
    await database.close()


async def test_no_room_for_the_database(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("sqlite", tmp_path)
    path = Path(url.split("///")[1])
    async with server_process(url, tmp_path) as server, server.signed_in("master.admin") as master:
        made, refused, number = [], 0, 0
        log = path.with_name(path.name + "-wal")
        with full_disk(server.pid, max(log.stat().st_size, 1)):
            async with asyncio.timeout(60):
                while refused < 5:
                    number += 1
                    response = await master.post(CREATE % f"Site {number}")
                    if response.status_code == 200:
                        made.append(f"Site {number}")
                        continue
                    refused += 1
                    assert response.status_code in (503, 507), response.text
                    assert response.json()["errors"][0]["extensions"]["code"] in (
                        "SERVICE_UNAVAILABLE",
                        "INSUFFICIENT_STORAGE",
                    )
                    assert "sqlite" not in response.text.lower()
            # Who only looks is served all the same.
            assert "errors" not in await master.response("{ learners(first: 1) { nodes { name } } }")
        assert "errors" not in await master.response(CREATE % "There is room again")
        found = await master.data("{ employers(first: 100) { nodes { name } } }")
        names = {one["name"] for one in found["employers"]["nodes"]}
        # What was acknowledged is there, what was refused is not.
        assert {name for name in names if name.startswith("Site ")} == set(made)
        assert "There is room again" in names
    database = Database(url)
    assert [line async for line in find_problems(database, open_store(tmp_path / "files"))] == []
    await database.close()


async def test_a_full_database_is_507(demo: Demo, tmp_path: Path) -> None:
    """What SQLite itself says when the disk is full."""
    async with serving(await demo.copied("sqlite", tmp_path), tmp_path, WAYMARK_POOL_SIZE="1") as running:
        async with running.signed_in("master.admin") as master:
            database = running.server.services.database
            async with database.writing() as session:
                pages = await session.scalar(text("PRAGMA page_count"))
                await session.execute(text(f"PRAGMA max_page_count = {pages}"))
            refused = None
            for number in range(400):
                response = await master.post(CREATE % f"{number:0200}")
                if response.status_code != 200:
                    refused = response
                    break
            assert refused is not None and refused.status_code == 507, refused
            assert refused.json()["errors"][0]["extensions"]["code"] == "INSUFFICIENT_STORAGE"
            async with database.writing() as session:
                await session.execute(text("PRAGMA max_page_count = 1073741823"))
            assert "errors" not in await master.response(CREATE % "Room again")
