"""Access tokens (JWT, 15 minutes) and the opaque refresh and one-time tokens, whose SHA-256 alone is stored."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from domain import clock
from domain.enums import Role

ALGORITHM = "HS256"
ISSUER = "waymark"
AUDIENCE = "waymark-graph"
ACCESS_LIFETIME = dt.timedelta(minutes=15)
REFRESH_LIFETIME = dt.timedelta(days=14)
LEAST_KEY_BYTES = 32
_REQUIRED = ("iss", "aud", "exp", "nbf", "iat", "sub", "jti")


class InvalidToken(Exception):
    """Not a token of ours, or no longer one."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a verified access token says."""

    user_key: int
    role: Role
    auth_session_key: int
    expires_at: dt.datetime


class AccessTokens:
    """Signs with the first key and verifies with each by its `kid`, so that keys rotate without a sign-out.

    `keys` maps a key id to at least 32 bytes; its first entry signs.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or any(len(key) < LEAST_KEY_BYTES for key in keys.values()):
            raise ValueError(f"every signing key needs at least {LEAST_KEY_BYTES} bytes")
        self._keys = dict(keys)
        self._kid = next(iter(self._keys))
        # One small verification cache: a client sends the same token with every request for 15 minutes.
        self._verified: dict[str, AccessClaims] = {}

    def sign(self, user_key: int, role: Role, auth_session_key: int) -> str:
        """A token for one sign-in in one role."""
        now = clock.now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_key),
            "role": role.value,
            "sid": auth_session_key,
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_LIFETIME,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._keys[self._kid], ALGORITHM, headers={"kid": self._kid})

    def verify(self, token: str) -> AccessClaims:
        """The claims of a token that is ours and in time; raises BadToken."""
        known = self._verified.get(token)
        if known is not None:
            if known.expires_at > clock.now():
                return known
            del self._verified[token]
            raise InvalidToken("expired")
        claims = self._read(token)
        if len(self._verified) >= 4096:
            self._verified.clear()
        self._verified[token] = claims
        return claims

    def _read(self, token: str) -> AccessClaims:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token, key, [ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options={"require": list(_REQUIRED)}
            )
            return AccessClaims(
                user_key=int(claims["sub"]),
                role=Role(claims["role"]),
                auth_session_key=int(claims["sid"]),
                expires_at=dt.datetime.fromtimestamp(claims["exp"], dt.UTC),
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken(str(error)) from error


def new_secret() -> str:
    """A refresh or one-time token: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret, or of a name that must not be readable: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
