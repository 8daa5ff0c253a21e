"""Previews: of every kind of picture and of PDFs, made once, small, bounded, and gone with the file."""

import asyncio
import datetime as dt
import mmap
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from db.worker_process import WorkerFailed, WorkerPool, WorkerTimedOut
from domain import clock
from services.storage import previews
from services.storage.file_store import open_store
from services.storage.preview_picture import MAX_PIXELS, NoPreview, make_preview
from services.storage.preview_types import PICTURES
from services.storage.storage_keys import preview_key
from tests.support.hostile_files import endless_pdf, unpickled_makes
from tests.support.preview_files import opened, picture, preview_workers, stored

PDF = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 300 600]>> endobj
trailer <</Root 1 0 R>>
"""


@pytest.mark.parametrize("content_type", PICTURES)
def test_each_kind_of_picture_has_a_preview(content_type: str) -> None:
    assert opened(make_preview(picture(PICTURES[content_type]), content_type, 320)).size == (320, 213)


def test_a_pdf_shows_its_first_page_and_a_small_picture_stays_small() -> None:
    assert opened(make_preview(PDF, "application/pdf", 160)).size == (160, 320)
    assert opened(make_preview(picture("PNG", (40, 30)), "image/png", 320)).size == (40, 30)
    # As wide as requested, and at most four times as high.
    assert opened(make_preview(picture("PNG", (100, 5000)), "image/png", 64)).size == (5, 256)


def test_a_photo_is_turned_and_says_nothing_of_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    made = opened(make_preview(picture("JPEG", exif=exif.tobytes()), "image/jpeg", 320))
    assert made.size == (320, 480) and not made.getexif()


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"\x89PNG\r\n\x1a\nnothing", "image/png"), (b"%PDF-1.4 nothing", "application/pdf"), (PDF, "image/png")],
    ids=["broken-picture", "broken-pdf", "another-kind"],
)
def test_bytes_that_no_decoder_understands_have_none(content: bytes, content_type: str) -> None:
    with pytest.raises(Exception):  # noqa: B017  # whatever the decoder raises
        make_preview(content, content_type, 320)


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    # 70 million pixels in 70 KB.
    bomb = picture("PNG", (10_000, MAX_PIXELS // 10_000 + 1_000))
    with pytest.raises(NoPreview):
        make_preview(bomb, "image/png", 320)


async def test_a_preview_is_made_once_kept_and_deleted_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, calls = open_store(tmp_path), []

    async def counted(*arguments: object) -> bytes:
        calls.append(arguments[2])
        await asyncio.sleep(0.02)
        return await real(*arguments)

    real = previews._workers.call
    monkeypatch.setattr(previews._workers, "call", counted)
    file = await stored(store, picture("PNG"), "image/png")
    made = await asyncio.gather(*(previews.preview_of(store, file, 320, "ann") for _ in range(5)))
    assert len(set(made)) == 1 and opened(made[0]).width == 320
    assert await previews.preview_of(store, file, 320, "ann") == made[0]
    assert calls == [320]
    broken = await stored(store, b"\x89PNG\r\n\x1a\nnothing", "image/png")
    for _ in range(2):
        assert await previews.preview_of(store, broken, 64, "ann") is None
    assert calls == [320, 64]
    await store.delete(file.storage_key)
    assert not await store.exists(preview_key(file.storage_key, 320))


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WorkerPool]]:
    with preview_workers(monkeypatch) as make:
        yield make


@pytest.mark.long
async def test_a_file_that_takes_all_cpu_time_has_none(tmp_path: Path, workers: Callable[..., WorkerPool]) -> None:
    store, pool = open_store(tmp_path), workers(timeout=600.0, cpu_seconds=1)
    content = endless_pdf()
    assert len(content) < 10_000
    file = await stored(store, content, "application/pdf")
    assert await previews.preview_of(store, file, 64, "ann") is None
    assert await store.exists(preview_key(file.storage_key, 64)) and not pool._processes
    # Nobody tries again.
    assert await previews.preview_of(store, file, 64, "ann") is None and not pool._processes
    assert await previews.preview_of(store, await stored(store, picture("PNG"), "image/png"), 64, "ann")


async def test_a_busy_machine_is_not_the_fault_of_the_file(tmp_path: Path, workers: Callable[..., WorkerPool]) -> None:
    store, pool = open_store(tmp_path), workers(timeout=600.0, cpu_seconds=15)
    assert await previews.preview_of(store, await stored(store, picture("PNG"), "image/png"), 64, "ann")
    file = await stored(store, picture("JPEG"), "image/jpeg")
    # A process that gets no processor for as long as it may take.
    (worker,) = pool._processes
    worker.send_signal(signal.SIGSTOP)
    pool._timeout = 0.5
    with pytest.raises(WorkerTimedOut):
        await previews.preview_of(store, file, 64, "ann")
    assert not await store.exists(preview_key(file.storage_key, 64))
    pool._timeout = 600.0
    made = await previews.preview_of(store, file, 64, "ann")
    assert made is not None and opened(made).width == 64


async def test_processes_that_are_killed_are_not_the_fault_of_the_file(
    tmp_path: Path, workers: Callable[..., WorkerPool]
) -> None:
    """As by a system that has no memory left."""
    store, pool = open_store(tmp_path), workers(timeout=600.0)
    file = await stored(store, endless_pdf(), "application/pdf")
    asked = asyncio.create_task(previews.preview_of(store, file, 64, "ann"))
    killed = set[int]()
    async with asyncio.timeout(60):
        while not asked.done():
            for worker in list(pool._processes):
                # Once it works: until then it has taken no memory either.
                if worker.pid not in killed and psutil.Process(worker.pid).cpu_times().user > 0.5:
                    killed.add(worker.pid)
                    worker.kill()
            await asyncio.sleep(0.05)
    with pytest.raises(WorkerFailed):
        await asked
    assert len(killed) == 2 and not await store.exists(preview_key(file.storage_key, 64))


async def test_a_decoder_that_was_taken_over_runs_nothing_in_the_server(
    tmp_path: Path, workers: Callable[..., WorkerPool]
) -> None:
    workers("tests.support.hostile_files:taken_over", timeout=60.0)
    store, folder = open_store(tmp_path / "files"), tmp_path / "made"
    file = await stored(store, unpickled_makes(folder), "image/png")
    assert await previews.preview_of(store, file, 64, "ann") is None
    assert not folder.exists()


@pytest.mark.parametrize("answer", [b'j{"a": 1}', b"b<svg onload=alert(1)>", b"fNoPreview", b"f" + b"x" * 101, b"\xff"])
async def test_an_answer_that_is_no_picture_is_none(
    answer: bytes, tmp_path: Path, workers: Callable[..., WorkerPool]
) -> None:
    workers("tests.support.hostile_files:taken_over", timeout=60.0)
    store = open_store(tmp_path)
    file = await stored(store, len(answer).to_bytes(4, "big") + answer, "image/png")
    assert await previews.preview_of(store, file, 64, "ann") is None


async def test_the_limit_of_memory_holds_in_the_worker_alone(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    # As after many other tests, or in a server with much in memory: more is mapped than a worker may take.
    with mmap.mmap(-1, previews._MEMORY_BYTES + 2**20, prot=mmap.PROT_READ):
        assert opened(make_preview(picture("PNG"), "image/png", 64)).width == 64
        store = open_store(tmp_path)
        made = await previews.preview_of(store, await stored(store, picture("AVIF"), "image/avif"), 64, "ann")
    assert made is not None and opened(made).width == 64
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    (worker,) = previews._workers._processes
    soft, hard = psutil.Process(worker.pid).rlimit(psutil.RLIMIT_AS)
    assert previews._MEMORY_BYTES < soft == hard < 2 * previews._MEMORY_BYTES


async def test_a_worker_that_cannot_start_fails_and_keeps_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    file = await stored(store, picture("PNG"), "image/png")
    previews._workers.close()
    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", str(tmp_path / "no-python"))
        with pytest.raises(WorkerFailed):
            await previews.preview_of(store, file, 64, "ann")
    assert await previews.preview_of(store, file, 64, "ann")


async def test_the_sweep_keeps_a_preview_as_long_as_its_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    kept, gone = [await stored(store, picture("PNG"), "image/png") for _ in range(2)]
    for file in (kept, gone):
        assert await previews.preview_of(store, file, 64, "ann")

    async def referenced(keys: list[str]) -> list[str]:
        return [key for key in keys if key == kept.storage_key]

    later = clock.now() + dt.timedelta(days=2)
    assert (await store.sweep(referenced, now=later)).unreferenced == 1
    assert [await store.exists(preview_key(file.storage_key, 64)) for file in (kept, gone)] == [True, False]


@pytest.mark.parametrize(("width", "made"), [(64, 64), (319, 160), (320, 320), (9_999, 1280)])
def test_the_widest_that_fits_is_chosen(width: int, made: int) -> None:
    assert previews.preview_width(width) == made
