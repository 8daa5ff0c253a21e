"""The part of a file that has arrived, to which a later response appends."""

import hashlib
from collections.abc import Iterator

import httpx2

from .errors import AuthenticationError, ServerError


class FilePart:
    """Reads a file from one response or several. The tag of a file is its SHA-256."""

    def __init__(self) -> None:
        self.is_complete = False
        self._digest = hashlib.sha256()
        self._position = 0
        self._tag = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request for the rest."""
        # A position is one of the bytes as they are stored.
        plain = {"accept": "*/*", "accept-encoding": "identity"}
        return {**plain, "range": f"bytes={self._position}-", "if-range": self._tag} if self._position else plain

    def read(self, response: httpx2.Response) -> Iterator[bytes]:
        """Yields what a response has. Raises AuthenticationError or ServerError if it is not the rest of the file."""
        # The connection broke after the last byte.
        if not (self._position and response.status_code == 416):
            self._check(response)
            for chunk in response.iter_bytes():
                self._digest.update(chunk)
                self._position += len(chunk)
                yield chunk
        if self._tag != f'"{self._digest.hexdigest()}"':
            raise ServerError("The file was damaged on its way. Run this again.")
        self.is_complete = True

    def _check(self, response: httpx2.Response) -> None:
        if response.status_code not in (200, 206):
            raise _refusal(response)
        tag = response.headers.get("etag", "")
        if self._position and (response.status_code == 200 or tag != self._tag):
            raise ServerError("The file changed while it was being read. Run this again.")
        self._tag = tag


def _refusal(response: httpx2.Response) -> ServerError | AuthenticationError:
    response.read()
    try:
        message = response.json()["errors"][0]["message"]
    except (ValueError, LookupError, TypeError):
        message = f"{response.url} answered HTTP {response.status_code} without the file. Check the URL."
    return AuthenticationError(message) if response.status_code == 401 else ServerError(message)
