"""Short-lived signed links: each names one thing, for one purpose, until a moment, and cannot be altered."""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import math
from typing import Any

import orjson

from domain import clock

UPLOAD = "upload"
DOWNLOAD = "download"
EXPORT = "export"

SECRET_LENGTH = 32
# A link is a few numbers and words; what is longer was not made here, and is not worth digesting.
LONGEST = 2048


class InvalidSignedUrl(Exception):
    """The link is not ours, was altered, is for something else, or has expired.

    `expired` is true only where everything else about the link is right.
    """

    def __init__(self, *, expired: bool = False):
        super().__init__("The link has expired." if expired else "The link is not valid.")
        self.expired = expired


class SignedUrls:
    """Signs and opens links with keys derived from the installation's secret, one key a purpose."""

    def __init__(self, secret: bytes):
        """`secret`: at least 32 bytes. Raises ValueError for a shorter one."""
        if len(secret) < SECRET_LENGTH:
            raise ValueError(f"The secret that links are signed with must have at least {SECRET_LENGTH} bytes.")
        self._secret = secret

    def sign(self, purpose: str, claims: dict[str, Any], expires_at: dt.datetime) -> str:
        """The text of a link: URL-safe, `claims` (anything JSON can say) in the clear, and a signature over all of it.

        It is good up to, and not at, `expires_at` (aware; whole seconds, rounded up).
        """
        seconds = math.ceil(expires_at.timestamp())
        body = orjson.dumps([seconds, claims])
        return f"{_text(body)}.{_text(self._signature(purpose, body))}"

    def open(self, purpose: str, text: str) -> dict[str, Any]:
        """The claims that were signed for this purpose. Raises LinkRefused."""
        if len(text) > LONGEST:
            raise InvalidSignedUrl
        body_text, _, signature_text = text.partition(".")
        body, signature = _bytes(body_text), _bytes(signature_text)
        if not hmac.compare_digest(signature, self._signature(purpose, body)):
            raise InvalidSignedUrl
        seconds, claims = orjson.loads(body)
        if clock.now().timestamp() >= seconds:
            raise InvalidSignedUrl(expired=True)
        return claims

    def _signature(self, purpose: str, body: bytes) -> bytes:
        # HKDF's expand step with one block: the secret is uniform already, so there is nothing to extract.
        key = hmac.digest(self._secret, b"waymark link:" + purpose.encode() + b"\x01", hashlib.sha256)
        return hmac.digest(key, body, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSignedUrl from None
    # Base64 has spare bits at its end: two texts could stand for the same bytes. Only the one that we write is taken.
    if _text(data) != text:
        raise InvalidSignedUrl
    return data
