"""Atomic writes to a local disk: a temporary name, a lock while the writer lives, fsync, then a rename."""

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

INCOMING = "incoming"
BATCH = 1 << 20
# The errors of a write for which there is no room: disk full, quota exceeded, file size limit exceeded.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

T = TypeVar("T")


class StoreFull(Exception):
    """There is no room for the bytes (disk, quota or file size limit). Nothing was stored; over HTTP this is 507."""


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Runs blocking work in a thread; when cancelled, waits until the thread has finished.

    The caller may then close a descriptor: while a thread still wrote to it, its number could be given to another file.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def write_file(folder: Path, key: str, chunks: AsyncIterator[bytes]) -> None:
    """Writes the chunks to `folder/key`. Once it returns, the file survives a power cut; if it raises, no file is left.

    Raises StoreFull, and whatever the chunks raise.
    """
    temporary = folder / INCOMING / uuid4().hex
    try:
        descriptor = await in_thread(_open, temporary)
        try:
            batch = bytearray()
            async for chunk in chunks:
                batch += chunk
                if len(batch) >= BATCH:
                    await in_thread(_write, descriptor, batch)
                    batch = bytearray()
            await in_thread(_write, descriptor, batch)
            await in_thread(_publish, descriptor, temporary, folder / key)
        finally:
            os.close(descriptor)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise StoreFull("There is no room left for files.") from error
        raise


def sweep(folder: Path) -> int:
    """Deletes the temporary files of writers that were killed; returns how many.

    A living writer, in this process or another, holds a lock on its file, which is left alone.
    """
    deleted = 0
    for path in (folder / INCOMING).iterdir():
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            deleted += 1
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)
    return deleted


def _open(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # a sweep between the two calls deleted the empty file


def _write(descriptor: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _publish(descriptor: int, temporary: Path, final: Path) -> None:
    os.fsync(descriptor)
    created = not final.parent.exists()
    final.parent.mkdir(exist_ok=True, mode=0o700)
    os.rename(temporary, final)
    sync_folder(final.parent)
    if created:
        sync_folder(final.parent.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
