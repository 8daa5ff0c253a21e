"""The file store: bytes under a generated key, in a local folder or in S3, streamed in both directions."""

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from domain import clock
from services.storage import atomic_write
from services.storage.atomic_write import StoreFull
from services.storage.s3 import open_bucket
from services.storage.storage_keys import ANY_KEY, PREVIEW_WIDTHS, new_storage_key, preview_key, validated

__all__ = ["FileStore", "StoreFull", "StoreUnavailable", "StoredFile", "SweepResult", "UploadTooLarge", "open_store"]

READ_CHUNK = 256 * 1024
UPLOAD_PART = 8 * 1024 * 1024
CONCURRENT_PARTS = 2
# A file without a record may belong to a transaction that has not committed yet: it is deleted only when this old.
UNREFERENCED_FOR = timedelta(days=1)

# For a check of the store, by asking for a file that cannot be there.
_CHECK_SECONDS = 4.0
_NO_FILE = "00/" + "0" * 32
# With less than this left, the disk counts as full before it is.
_MIN_FREE_BYTES = 64 * 1024 * 1024
_FOLDER_ERRORS = {errno.ENOENT, errno.ENOTDIR, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}

# Takes storage keys and returns those that a record refers to.
FindReferenced = Callable[[Sequence[str]], Awaitable[Collection[str]]]


class UploadTooLarge(Exception):
    """More bytes arrived than were allowed. `limit` is in bytes; nothing was stored."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The file is larger than {limit:,} bytes.")
        self.limit = limit


class StoreUnavailable(Exception):
    """The object store does not answer or denies access. A later retry may help; over HTTP this is 503."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file: the key to read it by, its size in bytes, and its SHA-256 in lower-case hexadecimal."""

    storage_key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How many incomplete files, and how many files that no record refers to, a sweep deleted."""

    incomplete: int
    unreferenced: int


def open_store(location: str | Path) -> "FileStore":
    """The store in a local folder (made if missing) or at `s3://bucket/prefix`.

    A folder that cannot be used now is opened at its next use. S3 takes its region, endpoint, credentials and client
    options from the AWS_* variables. Raises ValueError for another scheme, and for a variable that is not valid.
    """
    text = str(location)
    if text.startswith("s3://"):
        return FileStore(open_bucket(text))
    if "://" in text:
        raise ValueError("The file store must be a folder or s3://bucket/prefix.")
    store = FileStore(None, Path(text).absolute())
    with suppress(StoreUnavailable):
        store.open_folder()
    return store


class FileStore:
    """Bytes by key. `folder` is set for a local store, which is written with fsync and a rename."""

    def __init__(self, store: Any, folder: Path | None = None) -> None:
        self._opened = store
        self._folder = folder
        self._check: asyncio.Task[str | None] | None = None

    @property
    def _store(self) -> Any:
        if self._opened is None:
            self.open_folder()
        return self._opened

    def open_folder(self) -> None:
        """Makes and opens the local folder. Raises StoreUnavailable."""
        assert self._folder is not None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / atomic_write.INCOMING).mkdir(exist_ok=True, mode=0o700)
            self._opened = LocalStore(self._folder)
        except (OSError, BaseError) as error:
            raise StoreUnavailable("The folder of the file store cannot be used.") from error

    async def problem(self) -> str | None:
        """Returns what keeps the store from taking files, in a few words; None if it can take them."""
        if self._check is None or self._check.done():
            # At most one: a thread that waits for a disk in a network cannot be cancelled.
            self._check = asyncio.create_task(self._find_problem())
        done, _ = await asyncio.wait([self._check], timeout=_CHECK_SECONDS)
        return self._check.result() if done else "the file store does not answer"

    async def _find_problem(self) -> str | None:
        if self._folder is not None:
            return await asyncio.to_thread(_folder_problem, self._folder / atomic_write.INCOMING)
        try:
            await self.exists(_NO_FILE)
        except StoreUnavailable:
            return "the file store does not answer"
        return None

    async def free_bytes(self) -> int | None:
        """Returns the space that is left on the disk of a store in a folder; None for a store elsewhere.

        Raises OSError.
        """
        if self._folder is None:
            return None
        return (await asyncio.to_thread(shutil.disk_usage, self._folder)).free

    async def write(self, stream: AsyncIterator[bytes], *, limit: int) -> StoredFile:
        """Stores the stream under a new key. Once it returns, the bytes are durable; if it raises, nothing is left.

        Raises UploadTooLarge as soon as more than `limit` bytes came, StoreFull, StoreUnavailable, and whatever the
        stream raises (a type that is not accepted, a client that disconnected).
        """
        key = new_storage_key()
        reader = _CountingReader(stream, limit)
        await self.write_as(key, reader.chunks())
        return StoredFile(key, reader.size, reader.digest.hexdigest())

    async def write_as(self, storage_key: str, chunks: AsyncIterator[bytes]) -> None:
        """Stores the chunks under a given key, to copy a file from another store; otherwise like `write`."""
        key = validated(storage_key)
        if self._folder is not None:
            # Opened before the first write, and never made again: where a disk should be mounted, no file may go.
            _ = self._store
            with _folder_errors():
                await atomic_write.write_file(self._folder, key, chunks)
            return
        # A multipart upload becomes visible only when it is complete, so it needs no temporary name, and it is aborted
        # when the stream fails. The bucket's lifecycle rule deletes the parts of a writer that was killed.
        with _store_errors():
            await obstore.put_async(
                self._store, key, chunks, use_multipart=True, chunk_size=UPLOAD_PART, max_concurrency=CONCURRENT_PARTS
            )

    async def read(self, storage_key: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Yields the file from a position, in chunks of about 256 KiB.

        Raises FileNotFoundError before the first, StoreUnavailable.
        """
        with _store_errors():
            options: Any = {"range": {"offset": offset}} if offset else {}
            result = await obstore.get_async(self._store, validated(storage_key), options=options)
            async for chunk in result.stream(min_chunk_size=READ_CHUNK):
                yield bytes(chunk)

    async def exists(self, storage_key: str) -> bool:
        """Whether there is a file under the key."""
        try:
            with _store_errors():
                await obstore.head_async(self._store, validated(storage_key))
        except FileNotFoundError:
            return False
        return True

    async def digest(self, storage_key: str) -> str:
        """SHA-256 of the stored bytes, in lower-case hexadecimal. Raises FileNotFoundError."""
        digest = hashlib.sha256()
        async for chunk in self.read(storage_key):
            digest.update(chunk)
        return digest.hexdigest()

    async def delete(self, storage_key: str) -> None:
        """Deletes the file, if there is one, and its previews."""
        for key in (validated(storage_key), *(preview_key(storage_key, width) for width in PREVIEW_WIDTHS)):
            with suppress(FileNotFoundError), _store_errors():
                await obstore.delete_async(self._store, key)

    async def sweep(self, find_referenced: FindReferenced | None = None, *, now: datetime | None = None) -> SweepResult:
        """Deletes what a killed server left in the store; call it at start.

        Deletes incomplete files. With `find_referenced`, which is called with up to 1,000 keys, also deletes files
        older than a day that no record refers to: the server was killed between storing the file and the commit.
        Raises StoreUnavailable.
        """
        incomplete = 0
        if self._folder is not None:
            _ = self._store
            with _folder_errors():
                incomplete = await atomic_write.in_thread(atomic_write.sweep, self._folder)
        unreferenced = 0
        if find_referenced is not None:
            before = (now or clock.now()) - UNREFERENCED_FOR
            async for batch in _listed(obstore.list(self._store, chunk_size=1000)):
                stored = [(ANY_KEY.fullmatch(item["path"]), item["last_modified"]) for item in batch]
                # A preview is deleted with its file.
                old = sorted({found[1] for found, modified in stored if found and modified < before})
                referenced = set(await find_referenced(old)) if old else set()
                for key in old:
                    if key not in referenced:
                        await self.delete(key)
                        unreferenced += 1
        return SweepResult(incomplete, unreferenced)


class _CountingReader:
    """Passes a stream on, counts and hashes it, and raises UploadTooLarge beyond the limit."""

    def __init__(self, stream: AsyncIterator[bytes], limit: int) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self._stream = stream
        self._limit = limit

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self.size += len(chunk)
            if self.size > self._limit:
                raise UploadTooLarge(self._limit)
            self.digest.update(chunk)
            if chunk:
                yield chunk


async def _listed(batches: Any) -> AsyncIterator[Any]:
    iterator = aiter(batches)
    while True:
        try:
            with _store_errors():
                batch = await anext(iterator)
        except StopAsyncIteration:
            return
        yield batch


def _folder_problem(incoming: Path) -> str | None:
    if not os.access(incoming, os.W_OK | os.X_OK):
        return "the folder of the file store cannot be written"
    state = os.statvfs(incoming)
    return "the file store is full" if state.f_bavail * state.f_frsize < _MIN_FREE_BYTES else None


@contextmanager
def _folder_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # One of the file system: a client that goes away raises no OSError here.
        if error.filename is None and error.errno not in _FOLDER_ERRORS:
            raise
        raise StoreUnavailable("The folder of the file store cannot be used.") from error


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise StoreUnavailable("The file store does not answer.") from error
