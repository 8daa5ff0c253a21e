"""Folders below TMPDIR in which exports and reports are written until they are sent.

The kernel releases the lock of a folder when its process ends, however it ends. So a folder that nobody has locked was
left by a process that was killed, and is removed while a server runs (`services/sweeper.py`).
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

EXPORT, REPORT = "waymark-export-", "waymark-report-"
# Since something was last written to a folder. One that was just made is not locked yet, and older versions lock none.
STALE_SECONDS = 3_600.0


class OwnFolder:
    """A folder for the process's user alone, locked until it is removed or this process ends. Raises OSError."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        try:
            self._lock = _open(self.path)
        except OSError:
            self.path.rmdir()
            raise
        # A file system without locks has none to try either: then nothing is removed that a process left.
        with suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Removes the folder with what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def remove_left_folders() -> int:
    """Removes the folders that killed processes of this user left; returns how many."""
    parent = Path(tempfile.gettempdir())
    return sum(_was_left(path) for prefix in (EXPORT, REPORT) for path in parent.glob(prefix + "*"))


def _was_left(path: Path) -> bool:
    """Removes the folder if no process has it; returns whether it did. Anybody may make links and folders in /tmp."""
    with suppress(OSError):
        lock = _open(path)
        try:
            if os.fstat(lock).st_uid == os.geteuid() and _last_written(path) < time.time() - STALE_SECONDS:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
                return True
        finally:
            os.close(lock)
    return False


def _last_written(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
