"""Office documents: which part of the archive is the document, as its content types say."""

import io
import zipfile
import zlib
from xml.etree import ElementTree

CONTENT_TYPES = "[Content_Types].xml"
# Larger than the content types of any document; bounds what a small archive can expand to.
_MAX_CONTENT_TYPES = 1024 * 1024
_LOCAL_HEADER = 30


def content_types(head: bytes, tail: bytes, size: int) -> bytes | None:
    """Returns the content types of an archive of `size` bytes, of which the first and the last ones are given.

    None where they are in neither: writers put this member first or last.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(tail)) as archive:
            member = archive.getinfo(CONTENT_TYPES)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError):
        return None
    # `zipfile` counts offsets from the start of what it was given.
    offset = member.header_offset + size - len(tail)
    start = head[offset:] if offset < len(head) else tail[member.header_offset :] if member.header_offset >= 0 else b""
    if len(start) < _LOCAL_HEADER or not start.startswith(b"PK\x03\x04"):
        return None
    data_at = _LOCAL_HEADER + int.from_bytes(start[26:28], "little") + int.from_bytes(start[28:30], "little")
    data = start[data_at : data_at + member.compress_size]
    if len(data) < member.compress_size:
        return None
    if member.compress_type == zipfile.ZIP_STORED:
        return data[:_MAX_CONTENT_TYPES]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _MAX_CONTENT_TYPES)
    except zlib.error:
        return None


def has_main_part(types: bytes, content_type: str, members: set[str]) -> bool:
    """Returns whether the archive has a part of that content type, as its content types say."""
    if b"<!DOCTYPE" in types or b"<!ENTITY" in types:
        return False
    try:
        root = ElementTree.fromstring(types)
    except ElementTree.ParseError:
        return False
    names = {name.casefold() for name in members}
    for each in root:
        if (each.get("ContentType") or "").casefold() != content_type.casefold():
            continue
        if each.tag.endswith("}Override") and (each.get("PartName") or "").lstrip("/").casefold() in names:
            return True
        extension = (each.get("Extension") or "").casefold()
        if each.tag.endswith("}Default") and any(name.endswith(f".{extension}") for name in names):
            return True
    return False
