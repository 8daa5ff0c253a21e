"""Descriptions of files that are uploaded or downloaded over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class ExpectedUpload:
    """An announced file: its clean name, whose ending says its kind, and its exact size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredDownload:
    """A file in the store. `size` in bytes, `sha256` in lower-case hexadecimal.

    `resumable`: it may be read from a position.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    storage_key: str
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class GeneratedExport:
    """A file generated for one request; large content is an open file.

    `close` it once it has been sent. `release` is called then: it gives back what limits the exports at once.
    """

    name: str
    content_type: str
    content: bytes | BinaryIO
    release: Callable[[], None] | None = None

    def close(self) -> None:
        """Closes the content, and allows the user another export."""
        if not isinstance(self.content, bytes):
            self.content.close()
        if self.release is not None:
            self.release()
