"""The file store: caps, durability, sweeping after kill -9, and the same behaviour over an object store."""

import asyncio
import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from domain import clock
from services.storage.file_store import FileStore, StoreFull, UploadTooLarge, open_store


async def pieces(*chunks: bytes):
    for chunk in chunks:
        yield chunk


async def whole(store: FileStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(params=["folder", "objects"])
def store(request, tmp_path):
    return open_store(tmp_path / "files") if request.param == "folder" else FileStore(MemoryStore())


async def test_what_is_written_is_read_back_with_its_size_and_digest(store):
    stored = await store.write(pieces(b"one ", b"", b"two"), limit=7)
    assert await whole(store, stored.storage_key) == b"one two"
    assert stored.size == 7
    assert stored.sha256 == hashlib.sha256(b"one two").hexdigest() == await store.digest(stored.storage_key)
    assert await store.exists(stored.storage_key)


async def test_an_empty_file_is_a_file(store):
    stored = await store.write(pieces(), limit=10)
    assert stored.size == 0
    assert await whole(store, stored.storage_key) == b""


async def test_the_cap_ends_the_stream_and_nothing_is_left(store, tmp_path):
    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    with pytest.raises(UploadTooLarge) as refused:
        await store.write(endless(), limit=10_000)
    assert taken == 11
    assert refused.value.limit == 10_000
    assert files_of(tmp_path) == []
    assert await store.sweep(known=nothing_is_known, now=clock.now() + timedelta(days=9)) == (await store.sweep())


async def nothing_is_known(keys):
    return ()


async def test_a_stream_that_breaks_leaves_nothing_and_says_why(store, tmp_path):
    async def broken():
        yield b"some bytes"
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError, match="went away"):
        await store.write(broken(), limit=100)
    assert files_of(tmp_path) == []


async def test_deleting_twice_is_once_and_a_missing_file_is_not_found(store):
    stored = await store.write(pieces(b"x"), limit=1)
    await store.delete(stored.storage_key)
    await store.delete(stored.storage_key)
    assert not await store.exists(stored.storage_key)
    with pytest.raises(FileNotFoundError):
        await whole(store, stored.storage_key)
    with pytest.raises(FileNotFoundError):
        await store.digest(stored.storage_key)


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "incoming/x", "ab/../../x", "", "ab/" + "g" * 32])
async def test_a_key_of_another_shape_opens_nothing(store, key):
    with pytest.raises(FileNotFoundError):
        await whole(store, key)
    with pytest.raises(FileNotFoundError):
        await store.delete(key)


async def test_files_that_no_record_names_go_after_a_day(store):
    named = await store.write(pieces(b"named"), limit=10)
    unnamed = await store.write(pieces(b"unnamed"), limit=10)

    async def known(keys):
        assert set(keys) <= {named.storage_key, unnamed.storage_key}
        return {named.storage_key}

    assert (await store.sweep(known)).unnamed == 0
    assert (await store.sweep(known, now=clock.now() + timedelta(hours=25))).unnamed == 1
    assert await store.exists(named.storage_key)
    assert not await store.exists(unnamed.storage_key)


async def test_a_cancelled_write_leaves_nothing(tmp_path):
    store = open_store(tmp_path)
    begun = asyncio.Event()

    async def slow():
        yield b"x" * 3_000_000
        begun.set()
        await asyncio.sleep(3600)

    writing = asyncio.create_task(store.write(slow(), limit=10_000_000))
    await begun.wait()
    assert len(files_of(tmp_path)) == 1
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert files_of(tmp_path) == []


async def test_a_sweep_lets_a_living_writer_be(tmp_path):
    store = open_store(tmp_path)
    half_way, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        yield b"x" * 2_000_000
        half_way.set()
        await go_on.wait()
        yield b"y"

    writing = asyncio.create_task(store.write(slow(), limit=10_000_000))
    await half_way.wait()
    assert (await open_store(tmp_path).sweep()).half_written == 0
    go_on.set()
    stored = await writing
    assert await store.digest(stored.storage_key) == hashlib.sha256(b"x" * 2_000_000 + b"y").hexdigest()


KILLED = """
import asyncio, sys
from services.storage.file_store import open_store

async def slow():
    for _ in range(3):
        yield b"x" * 1_100_000
    print("half written", flush=True)
    await asyncio.sleep(3600)

asyncio.run(open_store(sys.argv[1]).write(slow(), limit=10**8))
"""


async def test_what_a_killed_writer_left_is_swept_at_the_next_start(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert writer.stdout.readline() == b"half written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert len(files_of(tmp_path)) == 1
    store = open_store(tmp_path)
    assert (await store.sweep()).half_written == 1
    assert files_of(tmp_path) == []


async def test_no_room_is_named_and_leaves_nothing_and_passes(tmp_path):
    store = open_store(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(StoreFull):
            await store.write(pieces(*[b"x" * 100_000] * 30), limit=10_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_of(tmp_path) == []
    assert (await store.write(pieces(*[b"x" * 100_000] * 30), limit=10_000_000)).size == 3_000_000


async def test_a_full_disk_is_no_room(tmp_path, monkeypatch):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFull):
        await open_store(tmp_path).write(pieces(b"x"), limit=10)
    assert files_of(tmp_path) == []


async def test_memory_stays_flat(tmp_path):
    store = open_store(tmp_path)
    chunk = bytes(64 * 1024)

    async def large():
        for _ in range(800):
            yield chunk

    tracemalloc.start()
    try:
        stored = await store.write(large(), limit=100_000_000)
        async for _ in store.read(stored.storage_key):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stored.size == 800 * 64 * 1024
    assert peak < 8_000_000


def test_only_folders_and_s3_are_understood():
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        open_store("ftp://somewhere/else")


def test_an_s3_address_opens_a_bucket(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert isinstance(open_store("s3://evidence/waymark"), FileStore)
