"""Learners with their users, and the employer managers they are allocated to."""

from typing import Any

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.user import ManagerAllocation, User
from domain.enums import Role
from tests.support.factories.user import UserFactory


class LearnerFactory(UserFactory):
    async def learner(self, provider: Provider, name: str, employer: Employer | None = None, **columns: Any) -> Learner:
        """Adds a learner and their user."""
        user = await self.user(provider, name, Role.LEARNER)
        values = {"employer_id": employer.id if employer else None, "created_at": self.now, **columns}
        return await self.add(Learner(provider_id=provider.id, user_id=user.id, **values))

    async def allocate(self, manager: User, *learners: Learner, **columns: Any) -> None:
        """Allocates learners to an Employer Manager."""
        for learner in learners:
            values = {"provider_id": learner.provider_id, "allocated_at": self.now, **columns}
            await self.add(ManagerAllocation(user_id=manager.id, learner_id=learner.id, **values))
