"""Training providers."""

from typing import Any

from db.models.provider import Provider
from tests.support.factories.base import RowFactory


class ProviderFactory(RowFactory):
    async def provider(self, name: str = "Provider", **columns: Any) -> Provider:
        return await self.add(Provider(name=name, **{"created_at": self.now, **columns}))
