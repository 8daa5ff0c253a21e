"""A person who has no password: signs in at an identity provider, and signs a document with a code by e-mail."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from db.models.user import User
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.identity_login import Visit, configure
from tests.support.openid_provider import OpenIdProvider
from tests.support.smtp_server import Post

OFFERS = "{ identityProviders { id name authorizationUrl } }"
WAITING = "{ viewer { hasPassword signatureRequests(awaitingViewerOnly: true) { nodes { id document { sha256 } } } } }"


@pytest.fixture(scope="module")
async def openid(clients: Clients) -> AsyncIterator[OpenIdProvider]:
    services = clients.running.server.services
    async with OpenIdProvider("https://app.example/kpi/") as openid:
        await configure(services.database, services.tokens.seals, 1, openid)
        yield openid


async def signed_in(clients: Clients, openid: OpenIdProvider, email: str) -> HttpClient:
    """Returns the client of an Employer Manager who has signed in at the identity provider."""
    client = await clients.anonymous()
    openid.tell(person={"sub": email, "email": email, "email_verified": True})
    (offered,) = (await client.data(OFFERS))["identityProviders"]
    assert offered["name"] == "Hill accounts"
    returned = await Visit(openid.client.redirect_uri).input(offered, role="EMPLOYER_MANAGER")
    payload = await client.payload("loginWithProvider", input=returned)
    assert payload["errors"] == [] and payload["secondFactorRequired"] is False
    client.use(payload)
    return client


async def test_who_has_no_password_signs_in_and_signs(clients: Clients, openid: OpenIdProvider, post: Post) -> None:
    async with clients.running.server.services.database.writing() as session:
        await session.execute(update(User).where(User.username == "employer.manager").values(has_password=False))
        email = (await session.scalars(select(User.email).where(User.username == "employer.manager"))).one()
    manager = await signed_in(clients, openid, email)
    await post.to(email, "A new way to sign in to Waymark")
    viewer = (await manager.data(WAITING))["viewer"]
    document = viewer["signatureRequests"]["nodes"][0]
    assert viewer["hasPassword"] is False
    asked = {"id": document["id"], "documentSha256": document["document"]["sha256"]}
    refused = await manager.user_errors("signatureRequestSign", **asked, password="00000000")
    assert refused == {"password": "WRONG_PASSWORD"}
    assert (await manager.payload("signingCodeRequest"))["errors"] == []
    body = (await post.to(email, "Your code to sign in Waymark")).get_content()
    (code,) = re.findall(r"\b\d{8}\b", body)
    signed = await manager.payload("signatureRequestSign", **asked, password=code)
    assert signed["errors"] == [] and signed["signatureRequest"]["awaitingViewer"] is False
    # The tokens are those of any login.
    manager.use(await manager.mutate("tokenRefresh", refreshToken=manager.tokens["refreshToken"]))
    await manager.mutate("logout", refreshToken=manager.tokens["refreshToken"])
    assert (await manager.post("{ viewer { role } }")).status_code == 401


async def test_a_stranger_gets_one_answer_and_no_account(clients: Clients, openid: OpenIdProvider) -> None:
    stranger = await clients.anonymous()
    openid.tell(person={"sub": "stranger", "email": "stranger@example.org", "email_verified": True})
    (offered,) = (await stranger.data(OFFERS))["identityProviders"]
    returned = await Visit(openid.client.redirect_uri).input(offered)
    assert await stranger.user_errors("loginWithProvider", input=returned) == {"input": "NOT_FOUND"}
