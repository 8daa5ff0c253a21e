"""The file of an exported provider: a ZIP with the rows of each table, the files, and a manifest with their digests.

The manifest is written last, and the directory of a ZIP comes after it: half of one cannot be opened.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from services.provider_move.rows import LARGEST_KEY, MoveError
from services.storage.storage_keys import KEY

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_MOST_MANIFEST_BYTES = 1 << 28
# No row is nearly as long: a line without an end must not fill the memory.
_MOST_LINE_BYTES = 1 << 24
# What reading a damaged ZIP raises, whether its directory, a header or compressed bytes are not as they were.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest says about a part of the export. `rows`: of a table."""

    size: int
    sha256: str
    rows: int = 0


@dataclass(slots=True)
class Manifest:
    """What an export holds. `tables` and `files` are by the table and by the storage key.

    `last_numbers`: the last number that each table had given to a row. `trail_line` and `trail_hash`: where the audit
    trail ended. `damaged`: storage keys of files that were missing or not as recorded, and so are not in it.
    """

    version: str
    made_at: str
    provider: dict[str, Any]
    trail_line: int
    trail_hash: str
    last_numbers: dict[str, int]
    tables: dict[str, Member] = field(default_factory=dict)
    files: dict[str, Member] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    format: int = FORMAT

    def encoded(self) -> bytes:
        """Returns the text of the manifest."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    def sha256(self) -> str:
        """Returns the digest of its text, which covers all of the export."""
        return hashlib.sha256(self.encoded()).hexdigest()


def table_member(table: str) -> str:
    """The name of the rows of a table in the export."""
    return f"tables/{table}.jsonl"


def file_member(storage_key: str) -> str:
    """The name of a file in the export."""
    return f"files/{storage_key}"


class MemberWriter:
    """Writes one part of an export, and counts and hashes it."""

    def __init__(self, archive: zipfile.ZipFile, name: str, is_compressed: bool) -> None:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if is_compressed else zipfile.ZIP_STORED
        self._target = archive.open(info, "w", force_zip64=True)
        self._digest = hashlib.sha256()
        self._size = self._rows = 0

    def write(self, data: bytes) -> None:
        """Writes a row, or a piece of a file."""
        self._target.write(data)
        self._digest.update(data)
        self._size += len(data)
        self._rows += 1

    def close(self) -> None:
        """Ends the part."""
        self._target.close()

    def member(self, has_rows: bool) -> Member:
        """Returns what was written."""
        return Member(self._size, self._digest.hexdigest(), self._rows if has_rows else 0)


class OpenExport:
    """An export that is read. Raises MoveError if it is not one of this version of the format, or not whole."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
            self._size = path.stat().st_size
        except FileNotFoundError:
            raise MoveError(f"There is no file {path}.") from None
        except _DAMAGE:
            raise MoveError(f"{path} is not a complete export. Make it again.") from None
        try:
            text = self._read_manifest(path)
            self.manifest_sha256 = hashlib.sha256(text).hexdigest()
            self.manifest = _parsed(text)
            self._check_names()
        except BaseException:
            self.close()
            raise

    def _read_manifest(self, path: Path) -> bytes:
        try:
            info = self._archive.getinfo(MANIFEST)
            if info.file_size > _MOST_MANIFEST_BYTES:
                raise KeyError
            return self._archive.read(info)
        except (KeyError, *_DAMAGE):
            raise MoveError(f"{path} is not a complete export: it has no {MANIFEST}. Make it again.") from None

    def _check_names(self) -> None:
        if not all(KEY.fullmatch(key) for key in self.manifest.files):
            raise MoveError(f"The export is damaged: {MANIFEST} names a file that is none of the store.")
        expected = {MANIFEST, *map(table_member, self.manifest.tables), *map(file_member, self.manifest.files)}
        names = self._archive.namelist()
        if len(names) != len(expected) or set(names) != expected:
            raise MoveError(f"The export is damaged: it does not hold what {MANIFEST} says.")
        # A file is stored as it is, and in a place of its own: a few bytes cannot become more than the disk has.
        if any(self._archive.getinfo(file_member(key)).compress_type for key in self.manifest.files):
            raise MoveError("The export is damaged: a file in it is compressed.")
        if sum(info.compress_size for info in self._archive.infolist()) > self._size:
            raise MoveError("The export is damaged: parts of it overlap.")

    def close(self) -> None:
        """Closes the file."""
        self._archive.close()

    def check(self, name: str, member: Member) -> None:
        """Compares a part with the manifest. Raises MoveError."""
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks(name):
            digest.update(chunk)
            size += len(chunk)
        if (size, digest.hexdigest()) != (member.size, member.sha256):
            raise MoveError(f"The export is damaged: {name} was changed.")

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yields the bytes of a part. Raises MoveError."""
        with self._opened(name) as source:
            try:
                while chunk := source.read(_CHUNK):
                    yield chunk
            except _DAMAGE:
                raise _damaged(name) from None

    def lines(self, table: str) -> Iterator[bytes]:
        """Yields the rows of a table. Raises MoveError."""
        rest = b""
        for chunk in self.chunks(table_member(table)):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if len(rest) > _MOST_LINE_BYTES:
                raise _damaged(table_member(table))
        if rest:
            yield rest

    def _opened(self, name: str) -> BinaryIO:
        try:
            return self._archive.open(name)  # type: ignore[return-value]
        except _DAMAGE:
            raise _damaged(name) from None


def _damaged(name: str) -> MoveError:
    return MoveError(f"The export is damaged: {name} cannot be read.")


def _parsed(text: bytes) -> Manifest:
    try:
        values = json.loads(text)
        found = values["format"]
        if found == FORMAT:
            members = {
                name: {key: Member(**each) for key, each in values[name].items()} for name in ("tables", "files")
            }
            _check_types(values)
            return Manifest(**{**values, **members})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise MoveError(f"The export is damaged: its {MANIFEST} cannot be read.") from None
    raise MoveError("The export was made by another version of Waymark. Import it with that version.")


def _check_types(values: dict[str, Any]) -> None:
    """Raises TypeError or KeyError for a manifest that no export has."""
    provider, numbers = values["provider"], values["last_numbers"]
    if not isinstance(provider["name"], str) or not isinstance(provider["ukprn"], str | None):
        raise TypeError
    if not all(type(each) is int for each in (provider["id"], values["trail_line"], *numbers.values())):
        raise TypeError
    # The tables count on from the last numbers: they must have numbers left.
    if not all(0 <= each <= LARGEST_KEY for each in numbers.values()):
        raise TypeError
