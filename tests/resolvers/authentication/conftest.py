"""The fixtures of the authentication tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auth.identity import discovery
from auth.passwords import hash_password
from db.database import Database
from db.models.user import User
from domain.enums import Role
from resolvers.authentication import identity_provider as identity
from resolvers.core.context import Client, Context
from tests.support.factories import Factory
from tests.support.identity_login import Visit, configure
from tests.support.openid_provider import Claims, OpenIdProvider
from tests.support.scenarios.base import PASSWORD
from tests.support.viewers import services

REDIRECT = "https://app.example/kpi/"
ADA = {"sub": "ada-1", "email": "ada@example.org", "email_verified": True}


@pytest.fixture
async def context(database: Database, tmp_path: Path) -> Context:
    """The context of a client that is not signed in. The user `ada` is an Assessor and an IQA."""
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider(disclaimer=None)
        hashed = await hash_password(PASSWORD)
        await factory.user(provider, "Ada", Role.ASSESSOR, Role.IQA, username="ada", password_hash=hashed)
    return Context(services(database, tmp_path), client=Client(address="192.0.2.1"))


@pytest.fixture(scope="module")
async def openid() -> AsyncIterator[OpenIdProvider]:
    async with OpenIdProvider(REDIRECT) as provider:
        yield provider


@dataclass
class SignIn:
    """A client that signs people in."""

    context: Context
    provider: OpenIdProvider

    async def go(self, **changed: Any) -> dict[str, Any]:
        """Goes to the identity provider and returns with the input of the mutation."""
        (offered,) = await identity.identity_providers(self.context)
        visit = Visit(REDIRECT)
        returned = await visit.open(offered.authorization_url)
        return {
            "provider_id": offered.id, "redirect_uri": REDIRECT, "code_verifier": visit.verifier,
            "state": returned["state"], "code": returned["code"], **changed,
        }  # fmt: skip

    async def __call__(self, person: Claims | None = None, **changed: Any) -> Context:
        self.provider.tell(person=person or ADA)
        context = Context(self.context.services, client=Client(address="192.0.2.7"))
        await identity.login_with_provider(context, **await self.go(**changed))
        return context


@pytest.fixture
async def sign_in(context: Context, openid: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    openid.behave()
    monkeypatch.setattr(discovery, "RETRY_SECONDS", 0.0)
    async with context.services.database.writing() as session:
        (await session.get_one(User, 1)).email = "Ada@example.org"
    await configure(context.services.database, context.services.tokens.seals, 1, openid, "mfa")
    return SignIn(context, openid)
