"""Verifies an ID token: its signature and every claim that OpenID Connect Core 3.1.3.7 says."""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from auth.identity.discovery import Discovery, Metadata

# Public-key signatures only: `none`, and HS256 with a public key as its secret, are not among them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
# The clocks of the two servers may differ by this much.
LEEWAY = dt.timedelta(seconds=60)
MAX_AGE = dt.timedelta(minutes=10)
_MAX_CHARACTERS = 32 * 1024


class IdentityRefused(Exception):
    """The identity provider's answer does not prove who signs in. The message is for the log, without personal data."""


async def verify_id_token(
    token: Any,
    discovery: Discovery,
    metadata: Metadata,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: dt.datetime,
) -> dict[str, Any]:
    """Returns the claims. Raises IdentityRefused, and IdentityUnavailable where the keys cannot be read."""
    if not isinstance(token, str) or not token.isascii() or len(token) > _MAX_CHARACTERS:
        raise IdentityRefused("no ID token")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise IdentityRefused("not a signed token") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise IdentityRefused("an algorithm that is not accepted")
    keys = await discovery.keys(metadata, kid if isinstance(kid, str) else None)
    for key in keys:
        try:
            claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError):
            continue
        _check_claims(claims, issuer, client_id, nonce, now)
        _check_access_token(claims, access_token, str(algorithm))
        return claims
    raise IdentityRefused("a signature by none of the published keys")


def _check_claims(claims: dict[str, Any], issuer: str, client_id: str, nonce: str, now: dt.datetime) -> None:
    if claims.get("iss") != issuer:
        raise IdentityRefused("another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise IdentityRefused("another audience")
    party = claims.get("azp")
    if (party is None and len(audiences) > 1) or (party is not None and party != client_id):
        raise IdentityRefused("another authorized party")
    expires, issued = (_moment(claims, name) for name in ("exp", "iat"))
    if expires + LEEWAY <= now:
        raise IdentityRefused("expired")
    if issued - LEEWAY > now or issued + MAX_AGE + LEEWAY < now:
        raise IdentityRefused("not issued just now")
    if "nbf" in claims and _moment(claims, "nbf") - LEEWAY > now:
        raise IdentityRefused("not valid yet")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise IdentityRefused("another nonce")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise IdentityRefused("no subject")


def _moment(claims: dict[str, Any], name: str) -> dt.datetime:
    value = claims.get(name)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise IdentityRefused(f"no {name}") from None


def _check_access_token(claims: dict[str, Any], access_token: str | None, algorithm: str) -> None:
    """Checks `at_hash`, where there is one: the left half of the hash of the access token."""
    expected = claims.get("at_hash")
    if expected is None:
        return
    digest = hashlib.new("sha512" if algorithm == "Ed25519" else f"sha{algorithm[2:]}", (access_token or "").encode())
    half = digest.digest()[: digest.digest_size // 2]
    try:
        given = base64.urlsafe_b64decode(str(expected) + "==")
    except (binascii.Error, ValueError):
        given = b""
    if not hmac.compare_digest(half, given):
        raise IdentityRefused("another access token")
