"""Folders in which reports are written until they are sent."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "waymark-report-"
# What is older was left by a process that was killed: no report takes so long.
_STALE_SECONDS = 3_600.0


@contextmanager
def report_folder() -> Iterator[Path]:
    """Creates a folder for the process's user alone, and removes it, and what killed processes left, at the end."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_stale(folder.parent)


def _remove_stale(parent: Path) -> None:
    for other in parent.glob(_PREFIX + "*"):
        with suppress(OSError):
            if other.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
