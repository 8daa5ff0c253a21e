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


def with_move(**values: Any) -> Callable[[Path], None]:
    """The provider has moved before, with these values, as the digests say too."""
    row = {"id": 1, "last_line": 0, "last_hash": "0" * 64, "shifts": {}, "manifest_sha256": "0" * 64}

    def change(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
        moved = {**row, "provider_id": manifest["provider"]["id"], "moved_at": manifest["made_at"], **values}
        with_text("provider_move", json.dumps(moved).encode() + b"\n")(path)
        with_manifest(last_numbers={"provider_move": 1})(path)

    return change


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


# What the author of an export changed whose digests fit, and what the refusal says.
HOSTILE = {
    "another provider's row": (with_row("user_account", provider_id=-1), "keys that are not the prov"),
    "a key below the first": (with_row("user_account", id=-5), "keys that are not the provider's"),
    "a key that was never given": (with_row("user_account", id=10**12), "keys that are not the prov"),
    "a reference to another's": (with_row("learner", user_id=-7), "keys that are not the provider's"),
    "keys in a text": (with_row("aim_progress", chosen_units="1 -3"), "keys that are not the prov"),
    "words in place of keys": (with_row("aim_progress", chosen_units="a b"), "keys that are not"),
    "no keys are left": (with_manifest(last_numbers={"user_account": 2**63 - 1}), "cannot be read"),
    "a huge number": (with_row("learner", version=10**30), "is not one of this version"),
    "a text in place of a number": (with_row("learner", version="1"), "is not one of this version"),
    "a number in place of a text": (with_row("employer", name=1), "is not one of this version"),
    "a text that no database stores": (with_row("employer", name="a\0b"), "is not one of this version"),
    "half a character": (with_row("employer", name="\ud800"), "is not one of this version"),
    "a text that is too long": (with_row("employer", name="x" * 301), "is not one of this version"),
    "a number in place of a list": (with_row("provider", unit_signatures=5), "is not one of this"),
    "a list of numbers": (with_row("provider", unit_signatures=[5]), "is not one of this version"),
    "nothing in place of a list": (with_row("provider", unit_signatures=None), "is not one of this"),
    "a list in place of an object": (with_row("audit_event", detail=[]), "is not one of this version"),
    "half a character in an object": (
        with_row("audit_event", detail={"a": [{"\udfff": 1}]}), "is not one of this version",
    ),
    "a move by no number": (with_move(shifts={"employer": "1"}), "record of earlier moves"),
    "a move beyond all keys": (with_move(shifts={"employer": 10**16}), "record of earlier moves"),
    "a time without a zone": (with_row("employer", created_at="2026-01-01T00:00:00"), "is not one of"),
    "a time before all times": (
        with_row("employer", created_at="0001-01-01T00:00:00+14:00"), "is not one of this version",
    ),
    "another name in the manifest": (with_manifest(provider={"name": "Another"}), "another provider"),
    "nested without end": (with_nested_manifest, "its manifest.json cannot be read"),
    "a row nested without end": (with_text("employer", b"[" * 200_000), "is not one of this version"),
    "a line without an end": (with_text("employer", b" " * (2**24 + 2**21)), "cannot be read"),
    "files that grow": (with_compressed_files, "a file in it is compressed"),
    "files that overlap": (with_overlapping_files, "parts of it overlap"),
    "a path outside of the store": (
        with_manifest(files={"../../etc/passwd": {"size": 0, "sha256": "", "rows": 0}}),
        "a file that is none of the store",
    ),
}  # fmt: skip
