"""The keys with which this installation identifies itself to push services (VAPID, RFC 8292)."""

import datetime as dt
from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.push.encryption import base64url, public_bytes

# Push services accept tokens of up to 24 hours.
_TOKEN_LIFETIME = dt.timedelta(hours=12)
# The order of the curve P-256 (SEC 2).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# 64 bits more than the order, so that no key is more likely than another (FIPS 186-5, A.2.1).
_BYTES = 40


class PushKeys:
    """One key pair for each key of the installation, derived from it: nothing else has to be kept or moved.

    A browser accepts messages that are signed with the key that it subscribed with, so a subscription names its key.
    `keys` maps a key id to at least 32 bytes; new subscriptions get the first. `contact` is a URL or `mailto:` address
    for the operators of push services.
    """

    def __init__(self, keys: Mapping[str, bytes], contact: str) -> None:
        self._pairs = {kid: _derived(key) for kid, key in keys.items()}
        self._contact = contact
        self.newest = next(iter(keys))

    @property
    def public_key(self) -> str:
        """The public key for new subscriptions: an uncompressed point of P-256 in base64url."""
        return self._public_key(self.newest)

    def authorization(self, kid: str, origin: str, now: dt.datetime) -> str | None:
        """Returns the Authorization header for a push service; None where the key was removed from the installation."""
        pair = self._pairs.get(kid)
        if pair is None:
            return None
        claims = {"aud": origin, "exp": now + _TOKEN_LIFETIME, "sub": self._contact}
        return f"vapid t={jwt.encode(claims, pair, algorithm='ES256')}, k={self._public_key(kid)}"

    def _public_key(self, kid: str) -> str:
        return base64url(public_bytes(self._pairs[kid].public_key()))


def _derived(key: bytes) -> EllipticCurvePrivateKey:
    number = int.from_bytes(HKDF(SHA256(), _BYTES, salt=None, info=b"waymark web push").derive(key))
    return derive_private_key(number % (_ORDER - 1) + 1, SECP256R1())
