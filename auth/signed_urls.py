"""Signed links: each names one thing for one purpose, expires soon, and cannot be altered."""

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

MIN_SECRET_BYTES = 32
# Signed links are much shorter. Longer text is rejected before its signature is computed.
MAX_LENGTH = 2048


class InvalidSignedUrl(Exception):
    """The link was not signed here, was altered, has another purpose, or has expired.

    `expired` is true only if the link is valid in every other respect.
    """

    def __init__(self, *, expired: bool = False):
        super().__init__("The link has expired." if expired else "The link is not valid.")
        self.expired = expired


class SignedUrls:
    """Signs and verifies links with keys that are derived from the installation's secret, one for each purpose."""

    def __init__(self, secret: bytes):
        """`secret`: at least 32 bytes. Raises ValueError for a shorter one."""
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"The secret that links are signed with must have at least {MIN_SECRET_BYTES} bytes.")
        self._secret = secret

    def sign(self, purpose: str, claims: dict[str, Any], expires_at: dt.datetime) -> str:
        """Returns the URL-safe text of a link: the `claims` as readable JSON, and a signature of all of it.

        The link is valid until just before `expires_at` (timezone-aware; rounded up to whole seconds).
        """
        seconds = math.ceil(expires_at.timestamp())
        body = orjson.dumps([seconds, claims])
        return f"{_text(body)}.{_text(self._signature(purpose, body))}"

    def verify(self, purpose: str, text: str) -> dict[str, Any]:
        """Returns the claims that were signed for this purpose. Raises InvalidSignedUrl."""
        if len(text) > MAX_LENGTH:
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
        # HKDF's expand step with one block. The secret is uniformly random, so the extract step is not needed.
        key = hmac.digest(self._secret, b"waymark link:" + purpose.encode() + b"\x01", hashlib.sha256)
        return hmac.digest(key, body, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSignedUrl from None
    # The last character of Base64 has unused bits, so several texts decode to the same bytes. Only one is accepted.
    if _text(data) != text:
        raise InvalidSignedUrl
    return data
