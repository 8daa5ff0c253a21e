"""Limits how many connections send one file at once: each may take as much space as the whole file."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from transport.files.service import FileError

# One that is cut may seem alive for a while, and a client may try again meanwhile.
MAX_CONNECTIONS = 3


class UploadConnections:
    """The upload links of this process whose files are being received."""

    def __init__(self) -> None:
        self._connections: Counter[str] = Counter()

    @contextmanager
    def counted(self, link: str) -> Iterator[None]:
        """Counts a connection for the block. Raises FileError 423, after which clients of tus try again."""
        if self._connections[link] >= MAX_CONNECTIONS:
            raise FileError(423, "Other connections are sending this file. Wait until they end, then try again.")
        self._connections[link] += 1
        try:
            yield
        finally:
            self._connections[link] -= 1
            if not self._connections[link]:
                del self._connections[link]
