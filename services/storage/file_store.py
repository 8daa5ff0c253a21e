"""The file store: bytes by generated key, on a local folder or in S3, streamed in and out and never whole in memory."""

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
from services.storage import atomic_write as file_landing
from services.storage.atomic_write import StoreFull

__all__ = ["FileStore", "UploadTooLarge", "StoreFull", "StoreUnavailable", "StoredFile", "Swept", "open_store"]

READ_CHUNK = 256 * 1024
PART = 8 * 1024 * 1024
PARTS_AT_ONCE = 2
KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}")
# A file that no record names may belong to an upload whose transaction is still open: it is let alone for this long.
UNNAMED_FOR = timedelta(days=1)

Known = Callable[[Sequence[str]], Awaitable[Collection[str]]]


class UploadTooLarge(Exception):
    """More bytes arrived than were allowed. `limit` is in bytes; nothing was kept."""

    def __init__(self, limit: int):
        super().__init__(f"The file is larger than {limit:,} bytes.")
        self.limit = limit


class StoreUnavailable(Exception):
    """The object store does not answer, or refuses us. Trying again later may help; over HTTP this is 503."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What was kept: the key to read it by, its size in bytes, and its SHA-256 in lower-case hexadecimal."""

    storage_key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Swept:
    """How many half-written files, and how many files that no record names, a sweep removed."""

    half_written: int
    unnamed: int


def open_store(location: str | Path) -> "FileStore":
    """The store at a local folder (made when missing) or at `s3://bucket/prefix`.

    S3 takes its region, endpoint and credentials from the usual AWS_* variables. Raises ValueError for another scheme.
    """
    text = str(location)
    if text.startswith("s3://"):
        return FileStore(S3Store.from_url(text))
    if "://" in text:
        raise ValueError("Files are kept in a folder or in s3://bucket/prefix: no other kind of address is understood.")
    folder = Path(text).absolute()
    (folder / file_landing.INCOMING).mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileStore(LocalStore(folder), folder)


class FileStore:
    """Bytes by key. `folder` is set when the store is a local one, which writes with fsync and a rename."""

    def __init__(self, store: Any, folder: Path | None = None):
        self._store = store
        self._folder = folder

    async def write(self, stream: AsyncIterator[bytes], *, limit: int) -> StoredFile:
        """Keeps the stream under a new key. Once it returns, the bytes are durable; if it raises, nothing is left.

        Raises Oversize as soon as more than `limit` bytes came, StoreFull when there is no room, StoreUnavailable, and
        whatever the stream itself raises (a refused type, a client that went away).
        """
        name = uuid4().hex
        key = f"{name[:2]}/{name}"
        meter = _CountingReader(stream, limit)
        await self.write_as(key, meter.chunks())
        return StoredFile(key, meter.size, meter.digest.hexdigest())

    async def write_as(self, storage_key: str, chunks: AsyncIterator[bytes]) -> None:
        """Keeps the chunks under a key that is given, for copies from store to store; otherwise like `write`."""
        key = _checked(storage_key)
        if self._folder is not None:
            await file_landing.write_file(self._folder, key, chunks)
            return
        # A multipart upload is visible at its end only, so it needs no temporary name, and is given up when the
        # stream breaks. Parts of one whose writer was killed are for the bucket's lifecycle rule.
        with _named():
            await obstore.put_async(
                self._store, key, chunks, use_multipart=True, chunk_size=PART, max_concurrency=PARTS_AT_ONCE
            )

    async def read(self, storage_key: str) -> AsyncIterator[bytes]:
        """The file's bytes in chunks of about 256 KiB. Raises FileNotFoundError before the first, StoreUnavailable."""
        with _named():
            result = await obstore.get_async(self._store, _checked(storage_key))
            async for chunk in result.stream(min_chunk_size=READ_CHUNK):
                yield bytes(chunk)

    async def exists(self, storage_key: str) -> bool:
        """Whether there is a file under the key."""
        try:
            with _named():
                await obstore.head_async(self._store, _checked(storage_key))
        except FileNotFoundError:
            return False
        return True

    async def digest(self, storage_key: str) -> str:
        """SHA-256 of the bytes as they are now, in lower-case hexadecimal. Raises FileNotFoundError."""
        digest = hashlib.sha256()
        async for chunk in self.read(storage_key):
            digest.update(chunk)
        return digest.hexdigest()

    async def delete(self, storage_key: str) -> None:
        """Removes the file; one that is already gone is no error."""
        key = _checked(storage_key)
        try:
            with _named():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            pass

    async def sweep(self, known: Known | None = None, *, now: datetime | None = None) -> Swept:
        """Removes what a killed server left behind; to be called at start.

        Half-written files always go. With `known`, which is given up to 1,000 keys and gives back those that some
        record names, files go too that are older than a day and that no record names (killed between the store and the
        commit).
        """
        half_written = 0
        if self._folder is not None:
            half_written = await file_landing.in_thread(file_landing.sweep, self._folder)
        unnamed = 0
        if known is not None:
            before = (now or clock.now()) - UNNAMED_FOR
            async for batch in obstore.list(self._store, chunk_size=1000):
                ours = [found for found in batch if KEY.fullmatch(found["path"])]
                old = [found["path"] for found in ours if found["last_modified"] < before]
                named = set(await known(old)) if old else set()
                for key in old:
                    if key not in named:
                        await self.delete(key)
                        unnamed += 1
        return Swept(half_written, unnamed)


class _CountingReader:
    """Counts and digests a stream on its way, and ends it where the limit is passed."""

    def __init__(self, stream: AsyncIterator[bytes], limit: int):
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
def _named() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise StoreUnavailable("The file store does not answer.") from error


def _checked(storage_key: str) -> str:
    # Keys come out of our own tables; one of another shape is a mistake or an attempt to leave the folder.
    if not KEY.fullmatch(storage_key):
        raise FileNotFoundError("There is no file under this key.")
    return storage_key
