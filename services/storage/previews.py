"""Small pictures of stored files: made at the first request for one, and stored next to the file."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import structlog

from db.priority import BACKGROUND
from db.worker_process import WorkerCpuExceeded, WorkerEnded, WorkerFailed, WorkerPool
from services.storage.file_store import FileStore
from services.storage.preview_types import CONTENT_TYPES
from services.storage.storage_keys import PREVIEW_WIDTHS, preview_key
from services.storage.transfers import StoredDownload

log = structlog.get_logger(__name__)

# Of a larger file there is no picture.
MAX_BYTES = 60 * 1024 * 1024
# CPU time: more is the file's fault, and there is no picture of it. By the clock a busy machine may take longer.
_CPU_SECONDS = 15
_SECONDS = 60.0
# What a decoder can take: an allocation beyond it fails in the worker process alone.
_MEMORY_BYTES = 2 * 1024**3
# So many are made at once, and one of each user, so that a user with many slow ones delays only their own.
_AT_ONCE = 2
# So many may wait: of one user (a page of pictures), and of all.
_MAX_WAITING_OF_USER, _MAX_WAITING = 100, 1_000
_workers = WorkerPool(
    "services.storage.preview_picture:make_preview",
    size=_AT_ONCE,
    timeout=_SECONDS,
    cpu_seconds=_CPU_SECONDS,
    memory_bytes=_MEMORY_BYTES,
    niceness=BACKGROUND,
)
# By key and user: of several requests of a user at the same time, one makes it.
_making: dict[tuple[str, Hashable], asyncio.Task[bytes]] = {}
# Raised with each change here or in the worker that can give a picture to a file which had none.
_VERSION = 1
_LIBRARIES = ("Pillow", "pillow-heif", "pypdfium2")


def has_preview(content_type: str, size: int) -> bool:
    """Returns whether there are pictures of files of this type and size in bytes."""
    return content_type in CONTENT_TYPES and size <= MAX_BYTES


@cache
def no_picture() -> bytes:
    """Returns what is kept instead of a picture that cannot be made: what tried to make it, and in which version.

    What another version has kept is no answer: the next who looks tries again, once.
    """
    return " ".join(["none", str(_VERSION), *(f"{each}={version(each)}" for each in _LIBRARIES)]).encode()


def preview_width(width: int) -> int:
    """Returns the width of the widest picture that is at most `width` pixels wide, or else of the narrowest."""
    return max((each for each in PREVIEW_WIDTHS if each <= width), default=PREVIEW_WIDTHS[0])


@dataclass
class _Queue:
    """Those who make a preview now or wait for it, as many at once as the semaphore allows."""

    semaphore: asyncio.Semaphore
    count: int = 0


# By user, and of all.
_queues: dict[Hashable, _Queue] = {}
_ALL = "all"


async def preview_of(store: FileStore, file: StoredDownload, width: int, user: Hashable) -> bytes | None:
    """Returns the picture as WebP, of a width of `preview_width`; None of bytes that no decoder understands.

    `user`: the user who views it. Raises what the store raises, and WorkerFailed while too many wait, no
    worker can start, or the machine is too busy.
    """
    key = preview_key(file.storage_key, width)
    kept = await _kept(store, key)
    if kept is None:
        task = _making.get((key, user))
        if task is None:
            task = _making[key, user] = asyncio.create_task(_make(store, file, width, key, user), name="preview")
            task.add_done_callback(lambda _: _making.pop((key, user), None))
        # One who no longer waits does not end it for the others.
        kept = await asyncio.shield(task)
    return kept if _is_picture(kept) else None


async def _kept(store: FileStore, key: str) -> bytes | None:
    """Returns the picture that is kept, or `no_picture()`; None where this version has to make it."""
    try:
        kept = b"".join([chunk async for chunk in store.read(key)])
    except FileNotFoundError:
        return None
    return kept if _is_picture(kept) or kept == no_picture() else None


async def _make(store: FileStore, file: StoredDownload, width: int, key: str, user: Hashable) -> bytes:
    """Makes and keeps the picture; `no_picture()` where the file is why there is none, so that nobody tries again.

    Raises WorkerFailed where the machine is why; the next who looks tries again. The first user in turn makes it: who
    wants the same picture does not wait for everything that another user requested before it.
    """
    async with _turn(("user", user), 1, _MAX_WAITING_OF_USER), _turn(("picture", key), 1, _MAX_WAITING):
        if (kept := await _kept(store, key)) is not None:
            return kept
        async with _turn(_ALL, _AT_ONCE, _MAX_WAITING):
            # Read in one's turn only: a file may have 60 MB.
            content = b"".join([chunk async for chunk in store.read(file.storage_key)])
            try:
                made = await _workers.call(content, file.content_type, width)
                if not _is_picture(made):
                    raise RuntimeError("the worker's answer is no picture")
            except (RuntimeError, WorkerCpuExceeded, WorkerEnded) as error:
                log.info("preview_failed", storage_key=file.storage_key, cause=type(error).__name__)
                made = no_picture()
        # Within the turn of the picture, so that who waits for it finds it.
        await store.write_as(key, _one(made))
    return made


async def _one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


def _is_picture(made: object) -> bool:
    return isinstance(made, bytes) and made[:4] == b"RIFF" and made[8:12] == b"WEBP"


@asynccontextmanager
async def _turn(key: Hashable, at_once: int, most_waiting: int) -> AsyncIterator[None]:
    """Waits for a turn, in the order of the requests. Raises WorkerFailed where too many wait."""
    queue = _queues.setdefault(key, _Queue(asyncio.Semaphore(at_once)))
    if queue.count >= at_once + most_waiting:
        raise WorkerFailed("too many previews wait")
    queue.count += 1
    try:
        async with queue.semaphore:
            yield
    finally:
        queue.count -= 1
        if queue.count == 0:
            del _queues[key]
