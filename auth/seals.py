"""Seals secrets that the server has to read again, so that the database alone does not give them away."""

import base64
import binascii
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class Seals:
    """Seals with AES-256-GCM, with keys that are derived from the keys of the installation (HKDF, SHA-256).

    `keys` maps a key id to at least 32 bytes. The first key seals, and all of them open.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {kid: AESGCM(_derived(key)) for kid, key in keys.items()}
        self._kid = next(iter(keys))

    def seal(self, secret: str, owner: str) -> str:
        """Returns the sealed secret. It opens for the same `owner` only, such as "SecondFactor of user 7"."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._kid].encrypt(nonce, secret.encode(), owner.encode())
        return f"{self._kid}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def unseal(self, sealed: str, owner: str) -> str | None:
        """Returns the secret; None where its key was removed from the installation, or it was altered."""
        kid, _, text = sealed.rpartition(".")
        cipher = self._ciphers.get(kid)
        try:
            content = base64.urlsafe_b64decode(text)
            if cipher is None or len(content) <= _NONCE_BYTES:
                return None
            return cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None

    def is_current(self, sealed: str) -> bool:
        """Returns whether the newest key sealed it."""
        return sealed.rpartition(".")[0] == self._kid


def _derived(key: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"waymark sealed secrets").derive(key)
