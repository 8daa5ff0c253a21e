"""Users with their roles, and the sites that an Employer Overview is allocated to."""

from typing import Any

from db.models.employer import Employer
from db.models.provider import Provider
from db.models.user import OverviewAllocation, RoleGrant, User
from domain.enums import Role
from tests.support.factories.base import RowFactory


class UserFactory(RowFactory):
    async def user(self, provider: Provider, name: str, *roles: Role, **columns: Any) -> User:
        """Adds a user with these roles. No password signs in, unless `password_hash` is given."""
        username = f"{name.lower().replace(' ', '.')}.{provider.id}.{self.next_number()}"
        values = {
            "username": username,
            "email": f"{username}@example.org",
            "password_hash": "-",
            "created_at": self.now,
            **columns,
        }
        user = await self.add(User(provider_id=provider.id, name=name, **values))
        for role in roles:
            await self.role_grant(user, role)
        return user

    async def role_grant(self, user: User, role: Role, **columns: Any) -> RoleGrant:
        values = {"provider_id": user.provider_id, "granted_at": self.now, **columns}
        return await self.add(RoleGrant(user_id=user.id, role=role, **values))

    async def oversee(self, overview: User, *employers: Employer, **columns: Any) -> None:
        """Allocates sites to an Employer Overview."""
        for employer in employers:
            values = {"provider_id": employer.provider_id, "allocated_at": self.now, **columns}
            await self.add(OverviewAllocation(user_id=overview.id, employer_id=employer.id, **values))
