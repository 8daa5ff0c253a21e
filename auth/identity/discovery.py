"""An identity provider's discovery document and its keys, fetched and cached."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from auth.identity.http import IdentityHttp, IdentityUnavailable, is_safe_url

T = TypeVar("T")
PublicKey = RSAKey | ECKey | OKPKey

FRESH_SECONDS = 3600.0
# Between two requests for the same document: an unknown key does not make the server send request after request.
RETRY_SECONDS = 10.0
MAX_KEYS = 100
_MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Metadata:
    """The endpoints of an identity provider, from its discovery document."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    # Whether the client's secret goes into the form instead of a header.
    posts_secret: bool


@dataclass(slots=True)
class _Kept(Generic[T]):
    """A document that was read, and when it was requested last, whether or not there was an answer."""

    value: T | None = None
    read_at: float = 0.0
    requested_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Discovery:
    """Reads and caches the documents of identity providers for an hour, and for longer while one does not answer."""

    def __init__(self, http: IdentityHttp) -> None:
        self._http = http
        self._metadata: defaultdict[str, _Kept[Metadata]] = defaultdict(_Kept)
        self._keys: defaultdict[str, _Kept[list[PublicKey]]] = defaultdict(_Kept)

    async def metadata(self, issuer: str) -> Metadata:
        """Returns the endpoints. Raises IdentityUnavailable."""

        async def read() -> Metadata:
            return parse_metadata(issuer, await self._http.get(discovery_url(issuer)))

        return await _kept(self._metadata[issuer], read)

    async def keys(self, metadata: Metadata, kid: str | None) -> list[PublicKey]:
        """Returns the keys with this id, or all without one. An unknown id means new keys: they are read again."""

        async def read() -> list[PublicKey]:
            return parse_keys(await self._http.get(metadata.jwks_uri))

        kept = self._keys[metadata.jwks_uri]
        found = _matching(await _kept(kept, read), kid)
        return found or _matching(await _kept(kept, read, again=True), kid)


async def _kept(kept: _Kept[T], read: Callable[[], Awaitable[T]], again: bool = False) -> T:
    """Returns what is kept, read `again` or where it is old, but not more often than every RETRY_SECONDS."""
    before = kept.read_at
    async with kept.lock:
        now = time.monotonic()
        is_wanted = kept.value is None or now - kept.read_at > FRESH_SECONDS or (again and kept.read_at == before)
        if is_wanted and now - kept.requested_at > RETRY_SECONDS:
            kept.requested_at = now
            try:
                kept.value, kept.read_at = await read(), now
            except IdentityUnavailable:
                if kept.value is None:
                    raise
        if kept.value is None:
            raise IdentityUnavailable("no answer a moment ago")
        return kept.value


def discovery_url(issuer: str) -> str:
    """Returns where the discovery document of an issuer is."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def parse_metadata(issuer: str, document: dict[str, Any]) -> Metadata:
    """Returns the endpoints of a discovery document. Raises IdentityUnavailable for one that cannot be used."""
    if document.get("issuer") != issuer:
        raise IdentityUnavailable("the discovery document names another issuer")
    if "code" not in _texts(document.get("response_types_supported")):
        raise IdentityUnavailable("the authorization code flow is not supported")
    challenges = document.get("code_challenge_methods_supported")
    if challenges is not None and "S256" not in _texts(challenges):
        raise IdentityUnavailable("PKCE with S256 is not supported")
    methods = _texts(document.get("token_endpoint_auth_methods_supported"))
    return Metadata(
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint") if document.get("userinfo_endpoint") else None,
        # OpenID Connect Discovery: where nothing is said, it is client_secret_basic.
        posts_secret="client_secret_post" in methods and "client_secret_basic" not in methods,
    )


def parse_keys(document: dict[str, Any]) -> list[PublicKey]:
    """Returns the public keys of a key set that can verify signatures; others, such as symmetric ones, are left out."""
    entries = document.get("keys")
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise IdentityUnavailable("the key set is not one")
    keys: list[PublicKey] = []
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(entry)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size < _MIN_RSA_BITS:
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            keys.append(key)
    return keys


def _matching(keys: list[PublicKey], kid: str | None) -> list[PublicKey]:
    return [key for key in keys if kid is None or key.kid == kid]


def _endpoint(document: dict[str, Any], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or len(url) > 500 or not is_safe_url(url):
        raise IdentityUnavailable(f"{name} is missing or not an https address")
    return url


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
