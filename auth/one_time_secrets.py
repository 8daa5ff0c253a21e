"""The secrets of links and codes in e-mails: derived from the installation's keys, so that the database never has one.

An e-mail waits in the outbox with a reference in place of the secret. The sender fills the secret in, and the database
has the SHA-256 of it, so that neither a backup nor an export nor a stolen database opens an account.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"\{one-time(-code)?:([0-9a-f]{12}):([\w-]{22})\}")
_CODE_DIGITS = 8


class KeyRemoved(Exception):
    """The key that a secret was derived from is not among the installation's keys any more."""


@dataclass(frozen=True, slots=True)
class OneTimeSecret:
    """A secret, and the reference that replaces it until it is sent."""

    reference: str
    secret: str


class OneTimeSecrets:
    """Derives secrets. `keys` as in `AccessTokens`: the first is used for new secrets."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {hashlib.sha256(name.encode()).hexdigest()[:12]: key for name, key in keys.items()}

    def new(self, address: str) -> OneTimeSecret:
        """A new secret of 256 bits for a mail to that address."""
        name, nonce = next(iter(self._keys)), secrets.token_urlsafe(16)
        return OneTimeSecret(f"{{one-time:{name}:{nonce}}}", self._derive(name, nonce, address))

    def new_code(self, address: str) -> OneTimeSecret:
        """A new code of 8 digits for a mail to that address."""
        name, nonce = next(iter(self._keys)), secrets.token_urlsafe(16)
        return OneTimeSecret(f"{{one-time-code:{name}:{nonce}}}", _digits(self._derive(name, nonce, address)))

    def fill_in(self, text: str, address: str) -> str:
        """The text with the secrets in place of their references. Raises KeyRemoved.

        A reference that is sent to another address gives another secret, which opens nothing.
        """

        def secret(found: re.Match[str]) -> str:
            derived = self._derive(found[2], found[3], address)
            return _digits(derived) if found[1] else derived

        return _REFERENCE.sub(secret, text)

    def _derive(self, name: str, nonce: str, address: str) -> str:
        if name not in self._keys:
            raise KeyRemoved
        message = f"waymark one-time secret\0{nonce}\0{address}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._keys[name], message, "sha256")).rstrip(b"=").decode()


def _digits(secret: str) -> str:
    number = int.from_bytes(hashlib.sha256(secret.encode()).digest()) % 10**_CODE_DIGITS
    return f"{number:0{_CODE_DIGITS}}"
