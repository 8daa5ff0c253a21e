"""The file store: bytes under a generated key, in a local folder or in S3, streamed in both directions."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from domain import clock
from services.storage import atomic_write
from services.storage.atomic_write import StoreFull

__all__ = ["FileStore", "StoreFull", "StoreUnavailable", "StoredFile", "SweepResult", "UploadTooLarge", "open_store"]

READ_CHUNK = 256 * 1024
UPLOAD_PART = 8 * 1024 * 1024
CONCURRENT_PARTS = 2
KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}")
# A file without a record may belong to a transaction that has not committed yet: it is deleted only when this old.
UNREFERENCED_FOR = timedelta(days=1)

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

    S3 takes its region, endpoint and credentials from the AWS_* variables. Raises ValueError for another scheme.
    """
    text = str(location)
    if text.startswith("s3://"):
        return FileStore(S3Store.from_url(text))
    if "://" in text:
        raise ValueError("The file store must be a folder or s3://bucket/prefix.")
    folder = Path(text).absolute()
    (folder / atomic_write.INCOMING).mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileStore(LocalStore(folder), folder)


class FileStore:
    """Bytes by key. `folder` is set for a local store, which is written with fsync and a rename."""

    def __init__(self, store: Any, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def write(self, stream: AsyncIterator[bytes], *, limit: int) -> StoredFile:
        """Stores the stream under a new key. Once it returns, the bytes are durable; if it raises, nothing is left.

        Raises UploadTooLarge as soon as more than `limit` bytes came, StoreFull, StoreUnavailable, and whatever the
        stream raises (a type that is not accepted, a client that disconnected).
        """
        name = uuid4().hex
        key = f"{name[:2]}/{name}"
        reader = _CountingReader(stream, limit)
        await self.write_as(key, reader.chunks())
        return StoredFile(key, reader.size, reader.digest.hexdigest())

    async def write_as(self, storage_key: str, chunks: AsyncIterator[bytes]) -> None:
        """Stores the chunks under a given key, to copy a file from another store; otherwise like `write`."""
        key = _validated(storage_key)
        if self._folder is not None:
            await atomic_write.write_file(self._folder, key, chunks)
            return
        # A multipart upload becomes visible only when it is complete, so it needs no temporary name, and it is aborted
        # when the stream fails. The bucket's lifecycle rule deletes the parts of a writer that was killed.
        with _store_errors():
            await obstore.put_async(
                self._store, key, chunks, use_multipart=True, chunk_size=UPLOAD_PART, max_concurrency=CONCURRENT_PARTS
            )

    async def read(self, storage_key: str) -> AsyncIterator[bytes]:
        """Yields the file in chunks of about 256 KiB. Raises FileNotFoundError before the first, StoreUnavailable."""
        with _store_errors():
            result = await obstore.get_async(self._store, _validated(storage_key))
            async for chunk in result.stream(min_chunk_size=READ_CHUNK):
                yield bytes(chunk)

    async def exists(self, storage_key: str) -> bool:
        """Whether there is a file under the key."""
        try:
            with _store_errors():
                await obstore.head_async(self._store, _validated(storage_key))
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
        """Deletes the file, if there is one."""
        key = _validated(storage_key)
        try:
            with _store_errors():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            pass

    async def sweep(self, find_referenced: FindReferenced | None = None, *, now: datetime | None = None) -> SweepResult:
        """Deletes what a killed server left in the store; call it at start.

        Deletes incomplete files. With `find_referenced`, which is called with up to 1,000 keys, also deletes files
        older than a day that no record refers to: the server was killed between storing the file and the commit.
        """
        incomplete = 0
        if self._folder is not None:
            incomplete = await atomic_write.in_thread(atomic_write.sweep, self._folder)
        unreferenced = 0
        if find_referenced is not None:
            before = (now or clock.now()) - UNREFERENCED_FOR
            async for batch in obstore.list(self._store, chunk_size=1000):
                stored = [item for item in batch if KEY.fullmatch(item["path"])]
                old = [item["path"] for item in stored if item["last_modified"] < before]
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


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise StoreUnavailable("The file store does not answer.") from error


def _validated(storage_key: str) -> str:
    # Keys come from our own tables; any other format is a bug or an attempt at path traversal.
    if not KEY.fullmatch(storage_key):
        raise FileNotFoundError("There is no file under this key.")
    return storage_key
