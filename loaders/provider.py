"""The viewer's provider, by the name that stands on what is printed."""

from sqlalchemy import Select, select

from auth import scope
from db.models.provider import Provider
from domain.enums import Role
from loaders.core.read_session import Reading, prepared


@prepared
def _name(role: Role) -> Select:
    return select(Provider.name).where(Provider.id == scope.MY_PROVIDER)


async def read_name(reading: Reading) -> str:
    """The provider's name."""
    return (await reading.rows(_name(reading.viewer.role)))[0].name
