"""Damages to the file of an exported provider, each as somebody or something leaves it behind."""

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.provider_move.archive import MANIFEST


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_compressed(path: Path) -> None:
    """Changes the first byte of a compressed table, which says how the rest is to be unpacked."""
    with zipfile.ZipFile(path) as archive:
        member = max(archive.infolist(), key=lambda each: each.compress_size if each.compress_type else 0)
    data = bytearray(path.read_bytes())
    names, extra = struct.unpack_from("<HH", data, member.header_offset + 26)
    data[member.header_offset + 30 + names + extra] = 0xFF
    path.write_bytes(data)


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, compression)


def without_a_row(path: Path) -> None:
    """As somebody leaves it who computes the digests again: rows refer to a learner that is not there."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        data = members["tables/learner.jsonl"] = b"".join(members["tables/learner.jsonl"].splitlines(True)[1:])
        _state(manifest, "learner", data)
        members[MANIFEST] = json.dumps(manifest).encode()

    rewritten(path, change)


def with_another_event(path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest, name = json.loads(members[MANIFEST]), "tables/audit_event.jsonl"
        lines = members[name].splitlines(True)
        lines[5] = json.dumps({**json.loads(lines[5]), "request_id": "another"}).encode() + b"\n"
        members[name] = b"".join(lines)
        _state(manifest, "audit_event", members[name])
        members[MANIFEST] = json.dumps(manifest).encode()

    rewritten(path, change)


def with_row(table: str, number: int = 0, **values: Any) -> Callable[[Path], None]:
    """As somebody leaves it who wants more than their own: one row has other values, and the digests fit."""

    def change(members: dict[str, bytes]) -> None:
        manifest, name = json.loads(members[MANIFEST]), f"tables/{table}.jsonl"
        lines = members[name].splitlines(True)
        lines[number] = json.dumps({**json.loads(lines[number]), **values}).encode() + b"\n"
        members[name] = b"".join(lines)
        _state(manifest, table, members[name])
        members[MANIFEST] = json.dumps(manifest).encode()

    return lambda path: rewritten(path, change)


def with_text(table: str, text: bytes) -> Callable[[Path], None]:
    """The rows of a table are this text, and the digests fit."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        members[f"tables/{table}.jsonl"] = text
        _state(manifest, table, text)
        members[MANIFEST] = json.dumps(manifest).encode()

    return lambda path: rewritten(path, change)


def with_manifest(**values: Any) -> Callable[[Path], None]:
    """The manifest has other values; within an object, only those that are named."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        for name, value in values.items():
            manifest[name] = {**manifest[name], **value} if isinstance(value, dict) else value
        members[MANIFEST] = json.dumps(manifest).encode()

    return lambda path: rewritten(path, change)


def with_nested_manifest(path: Path) -> None:
    rewritten(path, lambda members: members.update({MANIFEST: b"[" * 200_000 + b"]" * 200_000}))


def with_compressed_files(path: Path) -> None:
    rewritten(path, lambda _: None, zipfile.ZIP_DEFLATED)


def with_overlapping_files(path: Path) -> None:
    """Each file begins in its place and ends with the archive: all of them have the bytes of those after them."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for info in (each for each in archive.infolist() if each.filename.startswith("files/")):
            info.file_size = info.compress_size = archive.start_dir - info.header_offset


def of_another_version(path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members[MANIFEST] = json.dumps({**json.loads(members[MANIFEST]), "version": "0001"}).encode()

    rewritten(path, change)


def _state(manifest: dict[str, Any], table: str, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    manifest["tables"][table] = {"size": len(data), "sha256": digest, "rows": data.count(b"\n")}
