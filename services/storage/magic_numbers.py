"""Recognises a file's type by its content: its first bytes, its text, or the members of its archive.

Each function takes the first bytes of a file (`head`) and returns whether they can begin a file of that type.
"""

import codecs
import io
import zipfile
from collections.abc import Callable

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
# The header of OLE compound files: Office documents with a password, and those of Office 97 to 2003.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Atoms that begin a QuickTime film made before the ftyp atom existed.
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Control characters other than tab, line feed, form feed and carriage return.
_CONTROL_CHARACTERS = bytes(set(range(32)) - {9, 10, 12, 13}) + b"\x7f"
# Beginnings of content that a browser or a shell executes, even from a file named as text.
_ACTIVE_CONTENT = (
    b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<?php", b"<iframe", b"#!", b"{\\rtf",
    b"%pdf-", b"%!ps",
)  # fmt: skip


def pdf(head: bytes) -> bool:
    # Readers accept %PDF- anywhere in the first 1,024 bytes. Here it must come first, after white space at most: what
    # comes before could be the beginning of a file of another type.
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-")


def jpeg(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def png(head: bytes) -> bool:
    return head.startswith(b"\x89PNG\r\n\x1a\n")


def gif(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a"))


def mp3(head: bytes) -> bool:
    # An ID3 tag, or a frame header: eleven sync bits, then MPEG layer III.
    return head.startswith(b"ID3") or len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2


def riff(form: bytes) -> Callable[[bytes], bool]:
    """The check for a RIFF file of one form, such as WEBP or WAVE."""
    return lambda head: head[:4] == b"RIFF" and head[8:12] == form


def iso_media(brands: tuple[bytes, ...]) -> Callable[[bytes], bool]:
    """The check for an ISO media file whose major brand is one of `brands`."""
    return lambda head: head[4:8] == b"ftyp" and head[8:12] in brands


def film(head: bytes) -> bool:
    """A film or recording in an ISO media file of any brand, or a QuickTime film. Phones use dozens of brands."""
    picture = iso_media((*HEIC_BRANDS, *AVIF_BRANDS))(head)
    return (head[4:8] == b"ftyp" and not picture) or head[4:8] in _QUICKTIME_ATOMS


def webm(head: bytes) -> bool:
    return head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:64]


def ogg(head: bytes) -> bool:
    return head.startswith(b"OggS") and (head[28:36] == b"OpusHead" or head[28:35] == b"\x01vorbis")


def amr(head: bytes) -> bool:
    return head.startswith((b"#!AMR\n", b"#!AMR-WB\n"))


def ole(head: bytes) -> bool:
    return head.startswith(_OLE)


def zip_archive(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def open_document(content_type: str) -> Callable[[bytes], bool]:
    """The check for an OpenDocument archive: its first member is `mimetype`, uncompressed, and holds the type."""
    member = b"mimetype" + content_type.encode()
    return lambda head: (
        zip_archive(head) and head[30 : 30 + len(member)] == member and head[30 + len(member) :][:2] == b"PK"
    )


def text(head: bytes) -> bool:
    """Text that nothing executes: not HTML, XML, SVG or a script."""
    if head.startswith(_UTF_16):
        head = codecs.getincrementaldecoder("utf-16")("ignore").decode(head).encode("utf-8", "ignore")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return not start.startswith(_ACTIVE_CONTENT) and _is_text(head)


class TextCheck:
    """Whether the bytes of a stream can be text: UTF-16 with a byte order mark, or an encoding that extends ASCII."""

    def __init__(self) -> None:
        self._start = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def accepts(self, chunk: bytes) -> bool:
        """Returns whether the next chunk continues a text."""
        if len(self._start) < 2:
            # The first two bytes may come one by one.
            self._start += chunk
            if len(self._start) < 2:
                return _is_text(chunk) or chunk in (b"\xff", b"\xfe")
            chunk = self._start
            if chunk.startswith(_UTF_16):
                self._decoder = codecs.getincrementaldecoder("utf-16")("strict")
        if self._decoder is None:
            return _is_text(chunk)
        try:
            return _is_text(self._decoder.decode(chunk).encode("utf-8"))
        except UnicodeError:
            return False


def _is_text(chunk: bytes) -> bool:
    """Whether the bytes have no control characters, as text in UTF-8 or Windows-1252."""
    return not chunk or len(chunk.translate(None, _CONTROL_CHARACTERS)) == len(chunk)


def archive_members(tail: bytes) -> set[str] | None:
    """The names in an archive's directory, which its last bytes hold; None if there is no directory."""
    try:
        with zipfile.ZipFile(io.BytesIO(tail)) as archive:
            return {member.filename for member in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None


def has_macros(members: set[str]) -> bool:
    """Whether an office document contains code: VBA, or Basic and scripts of an OpenDocument."""
    return any(name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/")) for name in members)
