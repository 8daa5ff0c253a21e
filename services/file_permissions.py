"""File permissions: what Waymark stores can be read by the server's user alone.

New files get such permissions from the process's umask. Older files, from a version or a command with another umask,
are restricted at the start of a server; those that belong to another user are named in a warning.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import make_url

from services.settings import Settings

log = structlog.get_logger("waymark")

_OTHERS = 0o077
# SQLite's files next to each other: the database, its write-ahead log, its shared memory, its rollback journal.
_SQLITE_SUFFIXES = ("", "-wal", "-shm", "-journal")
# The folders that Waymark makes in WAYMARK_DATA, and what is in them.
_KINDS = {"files": "uploaded files", "mail": "e-mails", "keys": "keys"}


@dataclass(slots=True)
class Exposed:
    """Paths of one kind that other users could access: how many were restricted, and those that could not be."""

    restricted: int
    left: list[Path]


def restrict_stored(settings: Settings) -> dict[str, Exposed]:
    """Takes the permissions of other users from everything that is stored; returns what it found, by kind.

    Blocks: call it in a thread. Does not follow symbolic links.
    """
    found: dict[str, Exposed] = defaultdict(lambda: Exposed(0, []))
    for kind, path in _stored(settings):
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode) or not status.st_mode & _OTHERS:
                continue
            # A user who is not the owner may not, and root should not take a file out of another program's hands.
            if status.st_uid != os.geteuid() or status.st_mode & stat.S_ISVTX:
                found[kind].left.append(path)
            else:
                path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
                found[kind].restricted += 1
        except FileNotFoundError:
            continue
        except OSError:
            found[kind].left.append(path)
    return dict(found)


def log_permissions(settings: Settings) -> None:
    """Restricts what is stored, and logs one line for each kind."""
    for kind, exposed in sorted(restrict_stored(settings).items()):
        if exposed.restricted:
            log.info("permissions_restricted", kind=kind, paths=exposed.restricted)
        if exposed.left:
            log.warning(
                "readable_by_other_users", kind=kind, paths=len(exposed.left), first=str(exposed.left[0]),
                hint="chown it to the server's user, or chmod it to 0600 (0700 for a folder)",
            )  # fmt: skip


def _stored(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every path that Waymark stores something at, with its kind."""
    url = make_url(settings.database_url)
    database = Path(url.database).absolute() if url.get_backend_name() == "sqlite" and url.database else None
    sqlite = {Path(f"{database}{suffix}") for suffix in _SQLITE_SUFFIXES} if database else set()
    yield from (("database", path) for path in sorted(sqlite))
    yield "data folder", settings.data
    for path in _below(settings.data):
        if path not in sqlite:
            yield _KINDS.get(path.relative_to(settings.data).parts[0], "other files"), path
    location = settings.files_location
    if isinstance(location, str) and "://" not in location:
        location = Path(location).absolute()
    if isinstance(location, Path) and not location.is_relative_to(settings.data):
        yield _KINDS["files"], location
        yield from ((_KINDS["files"], path) for path in _below(location))


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(root, name)
