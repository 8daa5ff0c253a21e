"""Who waits for a preview: users in turn, each for their own files; and what another version made is made once more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from db.worker_process import WorkerFailed, WorkerPool
from services.storage import previews
from services.storage.file_store import open_store
from services.storage.storage_keys import preview_key
from services.storage.transfers import StoredDownload
from tests.support.hostile_files import endless_pdf
from tests.support.preview_files import opened, picture, preview_workers, stored


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WorkerPool]]:
    with preview_workers(monkeypatch) as make:
        yield make


async def test_what_an_earlier_version_could_not_make_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, calls = open_store(tmp_path), []

    async def counted(*arguments: object) -> bytes:
        calls.append(arguments[2])
        return await real(*arguments)

    async def keep(file: StoredDownload, verdict: bytes) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield verdict

        await store.write_as(preview_key(file.storage_key, 64), chunks())

    real = previews._workers.call
    monkeypatch.setattr(previews._workers, "call", counted)
    # Versions before this one kept an empty picture.
    for verdict in (b"", b"none 0 Pillow=1.0"):
        file = await stored(store, picture("PNG"), "image/png")
        await keep(file, verdict)
        made = await previews.preview_of(store, file, 64, "ann")
        assert made is not None and opened(made).width == 64
        assert await previews.preview_of(store, file, 64, "ann") == made
        assert len(calls) == 1
        calls.clear()
    broken = await stored(store, b"\x89PNG\r\n\x1a\nnothing", "image/png")
    await keep(broken, b"")
    for _ in range(2):
        assert await previews.preview_of(store, broken, 64, "ann") is None
    assert len(calls) == 1
    # As after an upgrade of what decodes them.
    previews.no_picture.cache_clear()
    monkeypatch.setattr(previews, "version", lambda library: f"{library} of tomorrow")
    for _ in range(2):
        assert await previews.preview_of(store, broken, 64, "ann") is None
    assert len(calls) == 2
    previews.no_picture.cache_clear()


@pytest.mark.long
async def test_slow_files_of_one_user_delay_no_picture_of_another(
    tmp_path: Path, workers: Callable[..., WorkerPool]
) -> None:
    """Real files: each of Ann's takes all the CPU time that a file may take."""
    workers(size=2, timeout=600.0, cpu_seconds=1)
    store = open_store(tmp_path)
    slow = [await stored(store, endless_pdf(), "application/pdf") for _ in range(3)]
    shared, own = [await stored(store, picture("PNG"), "image/png") for _ in range(2)]
    # The last one that Ann requests is a picture that Bea wants too, such as one of a resource of the provider.
    asked = [asyncio.create_task(previews.preview_of(store, file, 64, "ann")) for file in (*slow, shared)]
    async with asyncio.timeout(60):
        while len(previews._making) < len(asked):
            await asyncio.sleep(0.005)
    for file in (own, shared):
        made = await previews.preview_of(store, file, 64, "bea")
        assert made is not None and opened(made).width == 64
    # Ann's are made one at a time, and hers of the same picture comes last.
    assert not asked[2].done() and not asked[3].done()
    *none, last = await asyncio.gather(*asked)
    assert none == [None] * 3 and last == made
    assert previews._queues == {} and previews._making == {}


async def test_who_has_many_slow_previews_delays_themself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, begun, opened_keys = open_store(tmp_path), set[str](), set[str]()
    done = {name: asyncio.Event() for name in ("ann 1", "ann 2", "bea", "cy")}
    files = {name: await stored(store, name.encode(), "application/pdf") for name in done}
    reading = store.read

    async def slow(content: bytes, *_: object) -> bytes:
        begun.add(content.decode())
        await done[content.decode()].wait()
        return b"RIFF    WEBP"

    def noted(key: str) -> AsyncIterator[bytes]:
        opened_keys.add(key)
        return reading(key)

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.005)

    monkeypatch.setattr(previews._workers, "call", slow)
    monkeypatch.setattr(store, "read", noted)
    asked = []
    for name, file in files.items():
        asked.append(asyncio.create_task(previews.preview_of(store, file, 64, name[:3])))
        await until(lambda: len(previews._making) == len(asked))
    # One of each user, two at once, and no file in memory that is not.
    await until(lambda: begun == {"ann 1", "bea"})
    assert opened_keys.isdisjoint({files["ann 2"].storage_key, files["cy"].storage_key})
    done["bea"].set()
    await until(lambda: len(begun) > 2)
    assert begun == {"ann 1", "bea", "cy"}
    monkeypatch.setattr(previews, "_MAX_WAITING_OF_USER", 1)
    with pytest.raises(WorkerFailed):
        await previews.preview_of(store, files["ann 1"], 320, "ann")
    for event in done.values():
        event.set()
    assert await asyncio.gather(*asked) == [b"RIFF    WEBP"] * 4
    assert previews._queues == {}
