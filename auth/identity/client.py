"""Exchanges an authorization code for the identity of the person who signed in."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from auth.identity.configured import ConfiguredProvider
from auth.identity.discovery import Discovery, Metadata
from auth.identity.http import IdentityHttp, IdentityUnavailable
from auth.identity.id_token import IdentityRefused, verify_id_token

SCOPE = "openid email profile"
# At once for each identity provider: strangers can begin exchanges.
MAX_EXCHANGES = 16
_MAX_CODE = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as an identity provider knows them. `email` is None unless it is verified."""

    subject: str
    email: str | None
    factor_met: bool


def authorization_url(provider: ConfiguredProvider, state: str, nonce: str) -> str:
    """Returns the address at which a sign-in begins. The client appends `redirect_uri` and `code_challenge`."""
    query = urlencode(
        {
            "response_type": "code", "client_id": provider.client_id, "scope": SCOPE, "state": state, "nonce": nonce,
            "code_challenge_method": "S256",
        }
    )  # fmt: skip
    return f"{provider.authorization_endpoint}{'&' if '?' in provider.authorization_endpoint else '?'}{query}"


class IdentityClient:
    """The server as a client of identity providers: one for the process, because it caches their documents."""

    def __init__(self) -> None:
        self._http = IdentityHttp()
        self.discovery = Discovery(self._http)
        self._running: dict[int, int] = {}

    async def identify(
        self,
        provider: ConfiguredProvider,
        secret: str | None,
        *,
        code: str,
        verifier: str,
        redirect_uri: str,
        nonce: str,
        now: dt.datetime,
    ) -> Identity:
        """Returns who signed in. Raises IdentityRefused and IdentityUnavailable."""
        if not 0 < len(code) <= _MAX_CODE or not code.isprintable():
            raise IdentityRefused("no authorization code")
        running = self._running.get(provider.key, 0)
        if running >= MAX_EXCHANGES:
            raise IdentityUnavailable("too many exchanges at once")
        self._running[provider.key] = running + 1
        try:
            # Discovery, exchange, keys twice and the user's claims: each has its own limit, and together this one.
            async with asyncio.timeout(15):
                metadata = await self.discovery.metadata(provider.issuer)
                form = {
                    "grant_type": "authorization_code", "code": code, "code_verifier": verifier,
                    "redirect_uri": redirect_uri,
                }  # fmt: skip
                answer = await self._exchange(provider, secret, metadata, form)
                access_token = answer.get("access_token")
                claims = await verify_id_token(
                    answer.get("id_token"), self.discovery, metadata, issuer=provider.issuer,
                    client_id=provider.client_id, nonce=nonce, now=now,
                    access_token=access_token if isinstance(access_token, str) else None,
                )  # fmt: skip
                if "email" not in claims and metadata.userinfo_endpoint and isinstance(access_token, str):
                    claims |= await self._user_info(metadata.userinfo_endpoint, access_token, claims["sub"])
        except TimeoutError:
            raise IdentityUnavailable("too slow") from None
        finally:
            self._running[provider.key] -= 1
        return _identity(provider, claims)

    async def _exchange(
        self, provider: ConfiguredProvider, secret: str | None, metadata: Metadata, form: dict[str, str]
    ) -> dict[str, Any]:
        auth = None
        if secret is None or metadata.posts_secret:
            form |= {"client_id": provider.client_id, **({} if secret is None else {"client_secret": secret})}
        else:
            auth = (quote_plus(provider.client_id), quote_plus(secret))
        status, answer = await self._http.post(metadata.token_endpoint, form, auth)
        if status != 200:
            # The code of the error only: its description may contain what was sent.
            error = answer.get("error")
            known = error if error in ("invalid_grant", "invalid_client", "unauthorized_client") else "error"
            raise IdentityRefused(f"the token endpoint answered {status} {known}")
        return answer

    async def _user_info(self, url: str, access_token: str, subject: str) -> dict[str, Any]:
        found = await self._http.get(url, access_token)
        if found.get("sub") != subject:
            raise IdentityRefused("claims about another person")
        return {name: found[name] for name in ("email", "email_verified") if name in found}


def _identity(provider: ConfiguredProvider, claims: dict[str, Any]) -> Identity:
    email = claims.get("email")
    # Some send the text "true".
    is_verified = claims.get("email_verified") in (True, "true")
    if "email_verified" not in claims:
        is_verified = provider.trusts_email
    if not isinstance(email, str) or not is_verified or not 0 < len(email) <= 254:
        email = None
    methods = claims.get("amr")
    said = [claims.get("acr"), *(methods if isinstance(methods, list) else [])]
    return Identity(claims["sub"], email, any(value in said for value in provider.second_factor_values))
