"""Sessions of signed-in users, access keys of programs, and the identity providers of sign-ins."""

import hashlib
from typing import Any

from db.models.access_key import AccessKey
from db.models.auth_session import AuthSession
from db.models.identity_provider import IdentityProvider
from db.models.provider import Provider
from db.models.user import User
from domain.enums import Role
from tests.support.factories.base import DAY, RowFactory


class AuthSessionFactory(RowFactory):
    async def auth_session(self, user: User, role: Role, **columns: Any) -> AuthSession:
        """Adds a session that ends in 30 days."""
        values = {"started_at": self.now, "expires_at": self.now + 30 * DAY, **columns}
        return await self.add(AuthSession(provider_id=user.provider_id, user_id=user.id, role=role, **values))

    async def access_key(self, user: User, role: Role, secret: str = "wmk_test", **columns: Any) -> AccessKey:
        """Adds a key for every query, which expires in 30 days."""
        values = {"name": "Reports", "created_at": self.now, "expires_at": self.now + 30 * DAY, **columns}
        digest = hashlib.sha256(secret.encode()).hexdigest()
        keys = {"provider_id": user.provider_id, "user_id": user.id}
        return await self.add(AccessKey(**keys, role=role, secret_sha256=digest, **values))

    async def identity_provider(self, provider: Provider, **columns: Any) -> IdentityProvider:
        """Adds an identity provider without a secret, at an address that nobody serves."""
        issuer = "https://accounts.hill.example"
        values = {
            "name": "Hill accounts", "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize",
            "client_id": "waymark", "redirect_uris": [], "second_factor_values": [], "trusts_email": False,
            "created_at": self.now, **columns,
        }  # fmt: skip
        return await self.add(IdentityProvider(provider_id=provider.id, **values))
