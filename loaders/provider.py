"""The name of the viewer's provider, which is printed on exports."""

from sqlalchemy import Select, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.provider import Provider
from domain.enums import Role
from loaders.core.read_session import ReadSession


@cached_statement
def _name(role: Role) -> Select:
    return select(Provider.name).where(Provider.id == scope.VIEWER_PROVIDER)


async def read_provider_name(reading: ReadSession) -> str:
    """Returns the name of the viewer's provider."""
    [provider] = await reading.rows(_name(reading.viewer.role))
    return provider.name
