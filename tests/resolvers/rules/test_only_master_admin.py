"""What the rules of users know of the last Master Admin."""

from db.database import Database
from domain.enums import Role
from loaders.core.registry import Loaders
from loaders.user import UserLoader
from resolvers.core.rules import rules_by_type
from tests.support.factories import Factory
from tests.support.viewers import reading, viewer


async def test_the_only_master_admin_is_the_last_who_is_active(database: Database) -> None:
    async with database.writing() as session:
        make = Factory(session)
        provider = await make.provider()
        mia = await make.user(provider, "Mia", Role.MASTER_ADMIN)
        others = [
            await make.user(provider, name, role) for name, role in (("Lee", Role.LEARNER), ("Ann", Role.ASSESSOR))
        ]
        gone = await make.user(provider, "Gone", Role.MASTER_ADMIN, archived_at=make.now)
    keys = [mia.id, *(user.id for user in others), gone.id]

    async def only() -> list[bool]:
        loaders = Loaders(reading(database, viewer(mia, Role.MASTER_ADMIN)))
        rows = await loaders[UserLoader].load_many(keys)
        return list(await rules_by_type()["User"].facts["only_master_admin"](loaders, rows))

    assert await only() == [True, False, False, False]
    async with database.writing() as session:
        await Factory(session).user(provider, "Max", Role.MASTER_ADMIN)
    assert await only() == [False, False, False, False]
