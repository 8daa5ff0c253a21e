"""The file store: size limits, durability, sweeping after kill -9, and the same behaviour on an object store."""

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


async def read_all(store: FileStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(params=["folder", "object store"])
def store(request, tmp_path):
    return open_store(tmp_path / "files") if request.param == "folder" else FileStore(MemoryStore())


async def test_a_file_is_read_back_with_its_size_and_digest(store):
    stored = await store.write(pieces(b"one ", b"", b"two"), limit=7)
    assert await read_all(store, stored.storage_key) == b"one two"
    assert stored.size == 7
    assert stored.sha256 == hashlib.sha256(b"one two").hexdigest() == await store.digest(stored.storage_key)
    assert await store.exists(stored.storage_key)


async def test_an_empty_file_is_stored(store):
    stored = await store.write(pieces(), limit=10)
    assert stored.size == 0
    assert await read_all(store, stored.storage_key) == b""


async def test_the_limit_ends_the_stream_and_leaves_nothing(store, tmp_path):
    chunks = 0

    async def endless():
        nonlocal chunks
        while True:
            chunks += 1
            yield b"x" * 1000

    with pytest.raises(UploadTooLarge) as raised:
        await store.write(endless(), limit=10_000)
    assert chunks == 11
    assert raised.value.limit == 10_000
    assert files_of(tmp_path) == []
    assert await store.sweep(no_record_refers_to, now=clock.now() + timedelta(days=9)) == (await store.sweep())


async def no_record_refers_to(keys):
    return ()


async def test_an_error_of_the_stream_is_raised_and_leaves_nothing(store, tmp_path):
    async def broken():
        yield b"some bytes"
        raise ConnectionResetError("the client disconnected")

    with pytest.raises(ConnectionResetError, match="disconnected"):
        await store.write(broken(), limit=100)
    assert files_of(tmp_path) == []


async def test_a_deleted_file_is_not_found_and_can_be_deleted_again(store):
    stored = await store.write(pieces(b"x"), limit=1)
    await store.delete(stored.storage_key)
    await store.delete(stored.storage_key)
    assert not await store.exists(stored.storage_key)
    with pytest.raises(FileNotFoundError):
        await read_all(store, stored.storage_key)
    with pytest.raises(FileNotFoundError):
        await store.digest(stored.storage_key)


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "incoming/x", "ab/../../x", "", "ab/" + "g" * 32])
async def test_a_malformed_key_opens_nothing(store, key):
    with pytest.raises(FileNotFoundError):
        await read_all(store, key)
    with pytest.raises(FileNotFoundError):
        await store.delete(key)


async def test_unreferenced_files_are_deleted_after_a_day(store):
    referenced = await store.write(pieces(b"referenced"), limit=20)
    other = await store.write(pieces(b"unreferenced"), limit=20)

    async def find_referenced(keys):
        assert set(keys) <= {referenced.storage_key, other.storage_key}
        return {referenced.storage_key}

    assert (await store.sweep(find_referenced)).unreferenced == 0
    assert (await store.sweep(find_referenced, now=clock.now() + timedelta(hours=25))).unreferenced == 1
    assert await store.exists(referenced.storage_key)
    assert not await store.exists(other.storage_key)


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


async def test_a_sweep_leaves_the_file_of_a_living_writer(tmp_path):
    store = open_store(tmp_path)
    half_way, finish = asyncio.Event(), asyncio.Event()

    async def slow():
        yield b"x" * 2_000_000
        half_way.set()
        await finish.wait()
        yield b"y"

    writing = asyncio.create_task(store.write(slow(), limit=10_000_000))
    await half_way.wait()
    assert (await open_store(tmp_path).sweep()).incomplete == 0
    finish.set()
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


async def test_the_file_of_a_killed_writer_is_swept_at_the_next_start(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert writer.stdout.readline() == b"half written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert len(files_of(tmp_path)) == 1
    store = open_store(tmp_path)
    assert (await store.sweep()).incomplete == 1
    assert files_of(tmp_path) == []


async def test_without_room_nothing_is_left_and_a_later_write_works(tmp_path):
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


async def test_a_full_disk_raises_store_full(tmp_path, monkeypatch):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFull):
        await open_store(tmp_path).write(pieces(b"x"), limit=10)
    assert files_of(tmp_path) == []


async def test_memory_does_not_grow_with_the_file(tmp_path):
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


def test_only_folders_and_s3_are_supported():
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        open_store("ftp://somewhere/else")


def test_an_s3_address_opens_a_bucket(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert isinstance(open_store("s3://evidence/waymark"), FileStore)
