"""The signs by which a file's content is known: its first bytes, its text, or the members of its archive."""

import io
import zipfile
from collections.abc import Callable

HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
M4A = (b"M4A ", b"M4B ", b"mp42", b"mp41", b"isom", b"iso2", b"iso5", b"iso6", b"dash")
MP4 = (
    b"isom",
    b"iso2",
    b"iso3",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"M4VH",
    b"M4VP",
    b"MSNV",
    b"dash",
    b"3gp4",
    b"3gp5",
    b"3gp6",
    b"f4v ",
    b"mmp4",
)
# Atoms that a QuickTime film from before the ftyp atom may begin with.
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# Everything below a space but tab, line feed, form feed and carriage return; and delete.
_NOT_TEXT = bytes(set(range(32)) - {9, 10, 12, 13}) + b"\x7f"
# What a browser or a shell would run, even when it is named as text.
_ACTIVE = (
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<svg",
    b"<?xml",
    b"<?php",
    b"<iframe",
    b"#!",
    b"{\\rtf",
    b"%pdf-",
    b"%!ps",
)


def pdf(head: bytes) -> bool:
    # Readers accept the mark anywhere in the first 1,024 bytes; what stands before it could be another file's
    # beginning.
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-")


def jpeg(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def png(head: bytes) -> bool:
    return head.startswith(b"\x89PNG\r\n\x1a\n")


def gif(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a"))


def mp3(head: bytes) -> bool:
    # An ID3 tag, or a frame: eleven bits of sync, then MPEG layer III.
    return head.startswith(b"ID3") or len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2


def riff(form: bytes) -> Callable[[bytes], bool]:
    """A RIFF file of one form: WEBP, WAVE."""
    return lambda head: head[:4] == b"RIFF" and head[8:12] == form


def brand(brands: tuple[bytes, ...]) -> Callable[[bytes], bool]:
    """An ISO media file whose major brand is one of these."""
    return lambda head: head[4:8] == b"ftyp" and head[8:12] in brands


def quicktime(head: bytes) -> bool:
    return head[4:12] == b"ftypqt  " or head[4:8] in _ATOMS


def archive(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def open_document(content_type: str) -> Callable[[bytes], bool]:
    """An OpenDocument archive: its first member is stored, is called mimetype, and holds the type."""
    mark = b"mimetype" + content_type.encode()
    return lambda head: archive(head) and head[30 : 30 + len(mark)] == mark and head[30 + len(mark) :][:2] == b"PK"


def text(head: bytes) -> bool:
    """Text that nothing would run: neither HTML, XML, SVG nor a script."""
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return not begin.startswith(_ACTIVE) and is_text(head)


def is_text(chunk: bytes) -> bool:
    """Whether the bytes can be text in an encoding that keeps ASCII (UTF-8, Windows-1252): no control characters."""
    return not chunk or len(chunk.translate(None, _NOT_TEXT)) == len(chunk)


def members(tail: bytes) -> set[str] | None:
    """The names in an archive's directory, read from its last bytes alone; None where there is no directory."""
    try:
        with zipfile.ZipFile(io.BytesIO(tail)) as opened:
            return {info.filename for info in opened.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None


def has_macros(names: set[str]) -> bool:
    """Whether an office document carries code: VBA, or Basic and scripts of an OpenDocument."""
    return any(name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names)
