"""Checks of the machine: its user, who can read the files, descriptors, space, libraries, the systemd unit, backups."""

import os
import pwd
import re
import resource
import shutil
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typst
from sqlalchemy import make_url

from db.sqlite_file import network_filesystem
from domain import clock
from services.doctor.finding import Finding, ok, problem, warning
from services.settings import Settings

ROOT = Path(__file__).parents[2]
_LEAST_DESCRIPTORS = 4096
_LEAST_FREE_BYTES = 1 << 30
# Scripts that no font of the libraries has; a letter of each.
_SCRIPTS_OF_SYSTEM_FONTS = {"Thaana": "\u078b", "Tibetan": "\u0f56"}
# A nightly backup, with two hours to make it.
_BACKUP_HOURS = 26
_UNIT_DESCRIPTORS = r"^LimitNOFILE=(\d{5,}|infinity)$"
# Line of a unit -> why.
_UNIT_LINES = {
    r"^UMask=0?077$": "UMask=0077, so that nobody else reads the files",
    r"^Restart=always$": "Restart=always, so that it starts again after a fault",
    _UNIT_DESCRIPTORS: "LimitNOFILE=65536, because every connection is a descriptor",
    r"^NoNewPrivileges=(true|yes)$": "NoNewPrivileges=true",
    r"^ProtectSystem=strict$": "ProtectSystem=strict",
    r"^WantedBy=multi-user\.target$": "[Install] with WantedBy=multi-user.target, so that it starts with the machine",
    r"^After=.*\bnetwork-online\.target\b": "After=network-online.target",
}


def check_user(settings: Settings) -> Finding:
    """Returns whether the doctor runs as the user whose data it is.

    Another user sees other permissions than the server, and the folders that root makes are closed to the server.
    """
    owner, user = settings.data.stat().st_uid, os.geteuid()
    if owner != user:
        return problem(
            "user",
            f"{settings.data} belongs to {_user_name(owner)}, and the doctor runs as {_user_name(user)}: run it, like "
            "every command, as the server's user. Nothing else was checked.",
        )
    return ok("user", "The doctor runs as the user whose data it is.")


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def check_machine(settings: Settings, environment_file: Path, unit: Path) -> Iterator[Finding]:
    """Yields the findings about the machine. The environment file and the unit are checked if they exist."""
    yield from _permissions(settings, environment_file)
    yield _descriptors(unit)
    yield _space(settings)
    yield _libraries()
    yield _fonts()
    yield _unit(unit)
    yield from _unwritable(settings, unit)
    if settings.database_url.startswith("sqlite"):
        yield _filesystem(settings)


def _permissions(settings: Settings, environment_file: Path) -> Iterator[Finding]:
    private = [settings.data, environment_file]
    if (files := _files_folder(settings)) is not None:
        private.append(files)
    if settings.database_url.startswith("sqlite"):
        private.append(_database_file(settings))
    found = False
    for path in private:
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            found = True
            yield problem("permissions", f"Other users of the machine can open {path}: run chmod go= {path}")
    if not found:
        yield ok("permissions", "Only the server's user can read its files.")


def _descriptors(unit: Path) -> Finding:
    # The doctor has the limit of its shell, the service that of its unit.
    if unit.exists() and re.search(_UNIT_DESCRIPTORS, unit.read_text(), re.MULTILINE):
        return ok("descriptors", "The unit lets a process open enough files and connections.")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _LEAST_DESCRIPTORS:
        return warning(
            "descriptors", f"A process may open {soft} files and connections: set LimitNOFILE=65536 in the unit."
        )
    return ok("descriptors", "A process may open enough files and connections.")


def _space(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data).free
    if free < _LEAST_FREE_BYTES:
        return problem("space", f"{free >> 20} MB are free where the files are: uploads and writes will fail soon.")
    return ok("space", f"{free >> 30} GB are free where the files are.")


def _libraries() -> Finding:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return problem("libraries", "Waymark needs Python 3.11, 3.12 or 3.13: run scripts/setup.")
    lock = ROOT / "requirements.lock"
    if not lock.exists():
        return ok("libraries", "Waymark is installed as a package, without the lock beside it.")
    wrong = sorted(
        name
        for name, locked in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+-]+) \\$", lock.read_text(), re.MULTILINE)
        if (installed := _version(name)) is not None and _without_zeros(installed) != locked
    )
    if wrong:
        return problem(
            "libraries", f"Other versions than the lock's are installed: {', '.join(wrong)}. Run scripts/setup."
        )
    return ok("libraries", "The installed libraries are those of requirements.lock.")


def _fonts() -> Finding:
    missing = [script for script, letter in _SCRIPTS_OF_SYSTEM_FONTS.items() if not _has_font(letter)]
    if missing:
        return warning(
            "fonts", f"PDFs cannot show {' and '.join(missing)}: install Noto's fonts, on Debian fonts-noto-core."
        )
    return ok("fonts", "The machine has the fonts for PDFs that the libraries lack.")


def _has_font(letter: str) -> bool:
    try:
        # PDF/UA allows no character without a font.
        typst.compile(f"#set document(title: [T])\n{letter}".encode(), format="pdf", pdf_standards="ua-1")
    except typst.TypstError:
        return False
    return True


def _without_zeros(version: str) -> str:
    """Returns the version as a lock writes it: 2.012 of a package is 2.12."""
    return re.sub(r"\b0+(?=\d)", "", version)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        # A library for another platform, or for the tests.
        return None


def _unit(unit: Path) -> Finding:
    if not unit.exists():
        return warning(
            "unit", f"There is no {unit}: nothing starts the server with the machine, unless it is a container."
        )
    text = unit.read_text()
    missing = [line for pattern, line in _UNIT_LINES.items() if not re.search(pattern, text, re.MULTILINE)]
    if missing:
        return warning("unit", f"{unit} lacks: {'; '.join(missing)}. Compare it with deploy/{unit.name}.")
    return ok("unit", f"{unit} is as in deploy/.")


def _unwritable(settings: Settings, unit: Path) -> Iterator[Finding]:
    """Yields the folders that the server has to write to, and that the unit makes read-only for it."""
    text = unit.read_text() if unit.exists() else ""
    if not re.search(r"^ProtectSystem=strict$", text, re.MULTILINE):
        return
    listed = " ".join(re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE)).split()
    writable = [Path(each.lstrip("-+")).resolve() for each in listed]
    folders = [settings.data, _files_folder(settings)]
    if settings.database_url.startswith("sqlite"):
        folders.append(_database_file(settings).parent)
    for folder in dict.fromkeys(each.resolve() for each in folders if each is not None):
        if not any(folder.is_relative_to(each) for each in writable):
            yield problem("unit", f"The service cannot write to {folder}: add it to ReadWritePaths in {unit}.")


def _filesystem(settings: Settings) -> Finding:
    if (kind := network_filesystem(_database_file(settings))) is not None:
        return problem("filesystem", f"The SQLite file is on {kind}, whose locks are not reliable: use a local disk.")
    return ok("filesystem", "The SQLite file is on a local disk.")


def check_backups(folder: Path | None) -> Finding:
    """Returns how old the newest backup under a folder is: a manifest of `server.py backup`, or a *.dump of pg_dump."""
    if folder is None:
        return warning("backups", "Not checked: name the folder of the backups with --backups.")
    found = [
        *folder.glob("manifest.json"),
        *folder.glob("*/manifest.json"),
        *folder.glob("*.dump"),
        *folder.glob("*/*.dump"),
    ]
    if not found:
        return problem("backups", f"There is no backup in {folder}.")
    hours = (clock.now().timestamp() - max(path.stat().st_mtime for path in found)) / 3600
    if hours > _BACKUP_HOURS:
        return problem("backups", f"The newest backup is {hours:,.0f} hours old: make one every night.")
    return ok("backups", f"The newest backup is {max(hours, 0):.0f} hours old.")


def _files_folder(settings: Settings) -> Path | None:
    """Returns the folder of the uploaded files; None if they are in object storage."""
    location = str(settings.files_location)
    return None if location.startswith("s3://") else Path(location)


def _database_file(settings: Settings) -> Path:
    return Path(make_url(settings.database_url).database or "")
