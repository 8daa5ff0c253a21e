"""Encrypts a push message for one browser (RFC 8291, with the content encoding aes128gcm of RFC 8188)."""

import base64
import binascii
import os

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# Push services take at least so many bytes of a message, its encryption included (RFC 8030).
MAX_BYTES = 4096
_SALT_BYTES = 16
_AUTH_BYTES = 16
# After the last byte of the only record.
_LAST = b"\x02"
# Salt, size of a record, length of the key, the key, the delimiter, and the tag of AES-GCM.
_OVERHEAD = _SALT_BYTES + 4 + 1 + 65 + 1 + 16


def base64url(content: bytes) -> str:
    """Returns base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Returns the bytes of a text in base64url, with or without padding. Raises ValueError."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error


def public_bytes(key: EllipticCurvePublicKey) -> bytes:
    """Returns the uncompressed point of a public key, 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def browser_key(p256dh: str) -> EllipticCurvePublicKey:
    """Returns the public key of a browser. Raises ValueError unless it is a point of P-256."""
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), from_base64url(p256dh))


def browser_secret(auth: str) -> bytes:
    """Returns the secret that a browser shares with this server. Raises ValueError unless it is 16 bytes."""
    secret = from_base64url(auth)
    if len(secret) != _AUTH_BYTES:
        raise ValueError("not 16 bytes")
    return secret


def encrypt(
    text: bytes,
    p256dh: str,
    auth: str,
    own: EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Returns the body of the request to the push service; only the browser with these keys can read it.

    `own` and `salt` are random for each message, except where a test gives them. Raises ValueError for keys that are
    none, and for a text that is too long.
    """
    theirs, secret = browser_key(p256dh), browser_secret(auth)
    if len(text) + _OVERHEAD > MAX_BYTES:
        raise ValueError("too long")
    own, salt = own or generate_private_key(SECP256R1()), salt or os.urandom(_SALT_BYTES)
    mine = public_bytes(own.public_key())
    keys = b"WebPush: info\0" + public_bytes(theirs) + mine
    shared = _derived(own.exchange(ECDH(), theirs), secret, keys, 32)
    key = _derived(shared, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(shared, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + MAX_BYTES.to_bytes(4) + bytes([len(mine)]) + mine
    return header + AESGCM(key).encrypt(nonce, text + _LAST, None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=salt, info=info).derive(secret)
