"""Small files that ask a decoder for much: each ends within its limits."""

import asyncio
from collections.abc import Callable, Iterator

import psutil
import pytest

from db.worker_process import WorkerCpuExceeded, WorkerEnded, WorkerPool
from services.storage import previews
from tests.support.hostile_previews import hostile_previews

# Less than the 15 seconds of a server, so that the tests end.
CPU_SECONDS = 3
# `scripts/test-long` tries the others: one of each kind of end.
ALWAYS = {"png-profile", "jpeg-65500", "gif-7700", "avif-cut", "pdf-thin-page", "pdf-nested"}


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(
        "services.storage.preview_picture:make_preview", timeout=600.0, cpu_seconds=CPU_SECONDS,
        memory_bytes=previews._MEMORY_BYTES,
    )  # fmt: skip
    yield made
    made.close()


@pytest.mark.parametrize(
    ("content_type", "make"),
    [
        pytest.param(content_type, make, id=name, marks=() if name in ALWAYS else pytest.mark.long)
        for name, content_type, make in hostile_previews()
    ],
)
async def test_a_hostile_file_ends_within_its_limits(
    pool: WorkerPool, content_type: str, make: Callable[[], bytes]
) -> None:
    content = make()
    assert len(content) < 10_000_000 and previews.has_preview(content_type, len(content))
    making = asyncio.create_task(pool.call(content, content_type, 320))
    while not making.done():
        await asyncio.sleep(0.02)
        for process in list(pool._processes):
            try:
                worker = psutil.Process(process.pid)
                assert worker.memory_info().rss < previews._MEMORY_BYTES
                assert worker.children() == []
            except psutil.NoSuchProcess:
                continue
    try:
        made = await making
    except (RuntimeError, WorkerCpuExceeded, WorkerEnded):
        return
    assert made[:4] == b"RIFF" and len(made) < 20_000
