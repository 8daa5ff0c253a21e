"""Writes a file so that the old one stays until the new one is complete."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .errors import UsageError

# Open files of this process. Where one of them leads to a file, the shell has opened it, perhaps to append to it.
_OPEN = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")


def check_folder(path: Path) -> None:
    """Raises UsageError if the folder of a file does not exist: before the server works for it."""
    if not path.resolve().parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist.")


def save_bytes(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes a file, replacing an existing one only when the new one is complete. Raises UsageError.

    A link stays: the file that it leads to is replaced. That file keeps its mode and, where the system allows it, its
    owner; a new one gets the mode of any other new file. What is no file, such as /dev/stdout or a pipe, is written to.
    """
    try:
        target = path.resolve()
        if (target.exists() and not target.is_file()) or str(path.absolute()).startswith(_OPEN):
            with path.open("ab") as device:
                for chunk in chunks:
                    device.write(chunk)
        else:
            _replace(target, chunks)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _replace(target: Path, chunks: Iterable[bytes]) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        if target.exists():
            old = target.stat()
            if hasattr(os, "chown"):
                with contextlib.suppress(OSError):
                    os.chown(name, old.st_uid, old.st_gid)
            os.chmod(name, stat.S_IMODE(old.st_mode))
        else:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
