"""How a client signs a person in through an identity provider: it opens the address, and comes back with a code."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from auth.identity.discovery import discovery_url, parse_metadata
from auth.identity.http import IdentityHttp
from auth.seals import Seals
from db.database import Database
from domain import clock
from services.identity_providers import NewIdentityProvider, add_identity_provider
from tests.support.openid_provider import OpenIdProvider


@dataclass
class Visit:
    """One visit to an identity provider, with a code verifier of its own."""

    redirect_uri: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    async def open(self, authorization_url: str) -> dict[str, str]:
        """Opens the address; returns with `code` and `state`."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        more = urlencode({"redirect_uri": self.redirect_uri, "code_challenge": challenge})
        async with httpx2.AsyncClient() as browser:
            answer = await browser.get(f"{authorization_url}&{more}")
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def input(self, offered: dict[str, str], **more: str | None) -> dict[str, str | None]:
        """Opens an identity provider of the query `identityProviders`; returns the input of `loginWithProvider`."""
        returned = await self.open(offered["authorizationUrl"])
        return {
            "providerId": offered["id"], "code": returned["code"], "state": returned["state"],
            "codeVerifier": self.verifier, "redirectUri": self.redirect_uri, **more,
        }  # fmt: skip


async def configure(
    database: Database, seals: Seals, provider_key: int, openid: OpenIdProvider, *second_factors: str
) -> None:
    """Adds an identity provider to a training provider, as the command does."""
    metadata = parse_metadata(openid.issuer, await IdentityHttp().get(discovery_url(openid.issuer)))
    new = NewIdentityProvider(
        name="Hill accounts", issuer=openid.issuer, client_id=openid.client.client_id, secret=openid.client.secret,
        redirect_uris=(openid.client.redirect_uri,), second_factor_values=second_factors, trusts_email=False,
    )  # fmt: skip
    async with database.writing() as session:
        await add_identity_provider(session, seals, provider_key, new, metadata, clock.now())
