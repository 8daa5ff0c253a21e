"""What is known of a file on its way in or out: an announced upload, a stored file, a generated export."""

from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class ExpectedUpload:
    """An announced file: its clean name (which gives its kind) and its exact size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredDownload:
    """A file in the store. `size` in bytes, `sha256` in lower-case hexadecimal."""

    name: str
    content_type: str
    size: int
    sha256: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class GeneratedExport:
    """A file made for this request. A large one is an open file, which its reader closes."""

    name: str
    content_type: str
    content: bytes | BinaryIO
