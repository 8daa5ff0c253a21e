"""Sessions of signed-in users."""

from typing import Any

from db.models.auth_session import AuthSession
from db.models.user import User
from domain.enums import Role
from tests.support.factories.base import DAY, RowFactory


class AuthSessionFactory(RowFactory):
    async def auth_session(self, user: User, role: Role, **columns: Any) -> AuthSession:
        """Adds a session that ends in 30 days."""
        values = {"started_at": self.now, "expires_at": self.now + 30 * DAY, **columns}
        return await self.add(AuthSession(provider_id=user.provider_id, user_id=user.id, role=role, **values))
