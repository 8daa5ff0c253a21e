"""What a server does for the file of an SQLite database: it keeps other servers away, and the write-ahead log short."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import structlog
from sqlalchemy import make_url

log = structlog.get_logger("waymark")

# Filesystems of other machines, by their name in /proc/mounts. SQLite's locks and shared memory need one machine.
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs", "glusterfs", "ceph", "afs"}
CHECKPOINT_SECONDS = 30.0
# A log up to this size is left alone: SQLite writes into it again from its beginning.
LARGEST_LOG_BYTES = 8 << 20
# How long a checkpoint waits for readers of the log. Writers wait meanwhile.
_BUSY_MILLISECONDS = 200
# After an erasure it waits longer, but not for as long as a write may wait: the sweeper tries again.
_ERASURE_MILLISECONDS = 2000


class DatabaseInUse(Exception):
    """Another server uses the SQLite file; the message says what to do."""


def sqlite_file(url: str) -> Path | None:
    """Returns the file of an SQLite database; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def network_filesystem(file: Path) -> str | None:
    """Returns the kind of the filesystem of a file if it belongs to another machine, such as "nfs4"."""
    with suppress(OSError):
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
        path = file.absolute()
        of_file = [each for each in mounts if path.is_relative_to(each[0])]
        kind = max(of_file, key=lambda each: len(each[0]))[1]
        return kind if kind in _NETWORK else None
    return None


@contextmanager
def only_server(url: str) -> Iterator[None]:
    """Keeps other servers from an SQLite file for the length of the block. Raises DatabaseInUse.

    The system releases the lock however the process ends. Commands may run beside a server.
    """
    file = sqlite_file(url)
    if file is None:
        yield
        return
    if (kind := network_filesystem(file)) is not None:
        log.warning(
            "sqlite_on_network_filesystem", kind=kind, hint="put the SQLite file on a local disk, or use PostgreSQL"
        )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file.with_name(f"{file.name}.server"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            # A lock of the process and not of the file descriptor, which a forked worker would inherit and keep.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DatabaseInUse(
                "Another Waymark server uses this SQLite file. Stop it first, or use PostgreSQL for several processes."
            ) from None
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def short_log(url: str) -> AsyncIterator[None]:
    """Empties the write-ahead log of an SQLite file whenever it has grown, for the length of the block."""
    file = sqlite_file(url)
    if file is None:
        yield
        return

    async def work() -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            # A full disk, or a reader that does not end: the next round tries again.
            with suppress(sqlite3.Error, OSError):
                await asyncio.to_thread(empty_log, file)

    task = asyncio.create_task(work(), name="sqlite checkpoints")
    try:
        yield
    finally:
        task.cancel()


async def truncate_log(url: str) -> bool:
    """Empties the write-ahead log of an SQLite file, in which erased text stays until it is overwritten.

    Returns False if a reader or a writer kept it from that; a later call then does it. PostgreSQL needs none.
    """
    file = sqlite_file(url)
    try:
        return file is None or await asyncio.to_thread(
            empty_log, file, above=0, busy_milliseconds=_ERASURE_MILLISECONDS
        )
    except sqlite3.OperationalError:
        return False


def empty_log(file: Path, above: int | None = None, busy_milliseconds: int = _BUSY_MILLISECONDS) -> bool:
    """Copies the write-ahead log to the database and truncates it, if it has more than `above` bytes.

    Waits so long for readers and writers. Returns whether the log is short now. It is not while a reader reads from it.
    """
    wal = file.with_name(f"{file.name}-wal")
    if not wal.exists() or wal.stat().st_size <= (LARGEST_LOG_BYTES if above is None else above):
        return True
    connection = sqlite3.connect(file, timeout=busy_milliseconds / 1000, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        # Copies what it can without waiting for anyone, so that the part that makes writers wait is short.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        result = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    return not result["busy"]
