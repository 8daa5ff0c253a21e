"""Employers and their sites."""

from typing import Any

from db.models.employer import Employer
from db.models.provider import Provider
from tests.support.factories.base import RowFactory


class EmployerFactory(RowFactory):
    async def employer(self, provider: Provider, name: str, parent: Employer | None = None, **columns: Any) -> Employer:
        """Adds an employer, or a site of `parent`."""
        values = {"parent_id": parent.id if parent else None, "created_at": self.now, **columns}
        return await self.add(Employer(provider_id=provider.id, name=name, **values))
