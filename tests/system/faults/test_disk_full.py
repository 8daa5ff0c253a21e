"""A full disk: uploads get 507, writes 503 or 507, reads continue; with free space all requests succeed again.

The tests limit the size of the files of a process (RLIMIT_FSIZE), which fails its writes as a full disk does.
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
    """Limits every file of the process to `size` bytes inside the block."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_rejects_uploads(demo: Demo, tmp_path: Path) -> None:
    content = b"a line of text.\n" * 187_500
    url = await demo.copied("sqlite", tmp_path)
    # The log of the server is a file too.
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


async def test_a_full_disk_rejects_writes(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("sqlite", tmp_path)
    path = Path(url.split("///")[1])
    async with server_process(url, tmp_path) as server, server.signed_in("master.admin") as master:
        made, rejected, number = [], 0, 0
        log = path.with_name(path.name + "-wal")
        with full_disk(server.pid, max(log.stat().st_size, 1)):
            async with asyncio.timeout(60):
                while rejected < 5:
                    number += 1
                    response = await master.post(CREATE % f"Site {number}")
                    if response.status_code == 200:
                        made.append(f"Site {number}")
                        continue
                    rejected += 1
                    assert response.status_code in (503, 507), response.text
                    assert response.json()["errors"][0]["extensions"]["code"] in (
                        "SERVICE_UNAVAILABLE",
                        "INSUFFICIENT_STORAGE",
                    )
                    assert "sqlite" not in response.text.lower()
            # Reads still succeed.
            assert "errors" not in await master.response("{ learners(first: 1) { nodes { name } } }")
        assert "errors" not in await master.response(CREATE % "Free space")
        found = await master.data("{ employers(first: 100) { nodes { name } } }")
        names = {one["name"] for one in found["employers"]["nodes"]}
        # The acknowledged records exist, the rejected ones do not.
        assert {name for name in names if name.startswith("Site ")} == set(made)
        assert "Free space" in names
    database = Database(url)
    assert [line async for line in find_problems(database, open_store(tmp_path / "files"))] == []
    await database.close()


async def test_a_full_database_is_507(demo: Demo, tmp_path: Path) -> None:
    """The error that SQLite itself raises when the disk is full."""
    async with serving(await demo.copied("sqlite", tmp_path), tmp_path, WAYMARK_POOL_SIZE="1") as running:
        async with running.signed_in("master.admin") as master:
            database = running.server.services.database
            async with database.writing() as session:
                pages = await session.scalar(text("PRAGMA page_count"))
                await session.execute(text(f"PRAGMA max_page_count = {pages}"))
            rejected = None
            for number in range(400):
                response = await master.post(CREATE % f"{number:0200}")
                if response.status_code != 200:
                    rejected = response
                    break
            assert rejected is not None and rejected.status_code == 507, rejected
            assert rejected.json()["errors"][0]["extensions"]["code"] == "INSUFFICIENT_STORAGE"
            async with database.writing() as session:
                await session.execute(text("PRAGMA max_page_count = 1073741823"))
            assert "errors" not in await master.response(CREATE % "Free space")
