"""Access tokens (JWT, 15 minutes), and opaque refresh and one-time tokens, which are stored as SHA-256."""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from auth.seals import Seals
from domain import clock
from domain.enums import Role

ALGORITHM = "HS256"
ISSUER = "waymark"
AUDIENCE = "waymark-graph"
ACCESS_LIFETIME = dt.timedelta(minutes=15)
# The clocks of the machines that sign and verify may differ by this much.
CLOCK_LEEWAY = dt.timedelta(seconds=10)
REFRESH_LIFETIME = dt.timedelta(days=14)
MIN_KEY_BYTES = 32
_REQUIRED = ("iss", "aud", "exp", "nbf", "iat", "sub", "jti")


class InvalidToken(Exception):
    """The token was not signed by us, or has expired."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The claims of a verified access token. It is rejected from `expires_at` on: its own expiry and CLOCK_LEEWAY."""

    user_key: int
    role: Role
    auth_session_key: int
    expires_at: dt.datetime


class AccessTokens:
    """Signs and verifies access tokens.

    `keys` maps a key id (`kid`) to at least 32 bytes. The first key signs and all verify, so that keys can be rotated
    while users stay logged in.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or any(len(key) < MIN_KEY_BYTES for key in keys.values()):
            raise ValueError(f"Every signing key needs at least {MIN_KEY_BYTES} bytes.")
        self._keys = dict(keys)
        # Seals what the server has to read again, with keys derived from the same.
        self.seals = Seals(keys)
        self._kid = next(iter(self._keys))
        # A client sends the same token with every request for 15 minutes.
        self._verified: dict[str, AccessClaims] = {}

    def sign(
        self,
        user_key: int,
        role: Role,
        auth_session_key: int,
        *,
        issued_at: dt.datetime | None = None,
        token_id: str | None = None,
    ) -> str:
        """Returns a token for one auth session in one role. The same time and id give the same token again."""
        now = issued_at or clock.now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_key),
            "role": role.value,
            "sid": auth_session_key,
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_LIFETIME,
            "jti": token_id or secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._keys[self._kid], ALGORITHM, headers={"kid": self._kid})

    def derive(self, purpose: str, text: str) -> str:
        """Returns a secret that only a holder of the signing key can compute from the text: 256 bits."""
        return _derived(self._keys[self._kid], purpose, text)

    def is_derived(self, secret: str, purpose: str, text: str) -> bool:
        """Returns whether `derive` returned the secret, also with an earlier signing key that is still accepted."""
        return any(hmac.compare_digest(_derived(key, purpose, text), secret) for key in self._keys.values())

    def verify(self, token: str) -> AccessClaims:
        """Returns the claims of a token that we signed and that has not expired. Raises InvalidToken."""
        cached = self._verified.get(token)
        if cached is not None:
            if cached.expires_at > clock.now():
                return cached
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
                token,
                key,
                [ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=CLOCK_LEEWAY,
                options={"require": list(_REQUIRED)},
            )
            return AccessClaims(
                user_key=int(claims["sub"]),
                role=Role(claims["role"]),
                auth_session_key=int(claims["sid"]),
                expires_at=dt.datetime.fromtimestamp(claims["exp"], dt.UTC) + CLOCK_LEEWAY,
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken(str(error)) from error


def _derived(key: bytes, purpose: str, text: str) -> str:
    # A key of its own for each purpose, so that no derived secret is a signature of a token.
    purpose_key = hmac.digest(key, f"waymark {purpose}".encode(), "sha256")
    return base64.urlsafe_b64encode(hmac.digest(purpose_key, text.encode(), "sha256")).rstrip(b"=").decode()


def new_secret() -> str:
    """Returns a new refresh or one-time token: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Returns the SHA-256 in hexadecimal, which is stored in place of a secret or of a name."""
    return hashlib.sha256(secret.encode()).hexdigest()
