"""Addresses that stay valid until they are revoked: those of calendars, and those that end a kind of e-mail."""

import base64
import hmac
from collections.abc import Mapping

CALENDAR = "calendar"
UNSUBSCRIBE = "unsubscribe"

# Longer than any token.
_MAX_LENGTH = 200


class LastingLinks:
    """Signs and verifies tokens with the keys of the installation: the newest signs, and all of them verify.

    A token names its parts in the clear. What it opens is decided when it is used.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = list(keys.values())

    def sign(self, purpose: str, *parts: str) -> str:
        """Returns a token for URLs. `parts` are letters, digits, `_` and `-`."""
        text = ".".join(parts)
        return f"{text}.{_signature(self._keys[0], purpose, text)}"

    def verify(self, purpose: str, token: str) -> list[str] | None:
        """Returns the parts of a token of this purpose; None for any other text."""
        text, _, signature = token.rpartition(".")
        if len(token) > _MAX_LENGTH or not token.isascii():
            return None
        if not any(hmac.compare_digest(signature, _signature(key, purpose, text)) for key in self._keys):
            return None
        return text.split(".")


def _signature(key: bytes, purpose: str, text: str) -> str:
    message = f"waymark lasting link\0{purpose}\0{text}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=").decode()
