"""`auth.scope.sees` compares the provider of each row itself, whatever else the row names."""

import pytest
from sqlalchemy import select, update

from auth import scope
from db.models.base import Base
from db.models.registry import entities
from domain.enums import Role
from tests.support.databases import Databases
from tests.support.scenarios.authorization import ONE_OF_EACH, STRANGERS, build_authorization
from tests.support.unchecked_references import unchecked_references
from tests.support.viewers import viewer


def is_visible_by_itself(entity: type[Base]) -> bool:
    try:
        scope.sees(Role.MASTER_ADMIN, entity)
    except TypeError:
        return False
    return True


VISIBLE = [entity for entity in entities() if is_visible_by_itself(entity)]
NO_PROVIDER = 999_999


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_a_row_of_another_provider_is_visible_to_nobody(databases: Databases, backend: str) -> None:
    """The other rows stay: the same learners, aims, sessions and users name the row, or are named by it."""
    async with databases.opened(backend, build_authorization) as (database, scenario):
        people = [(*scenario.people[who][::2], role) for who, role in ONE_OF_EACH if who not in STRANGERS]
        viewers = [viewer(user, role, learner) for user, learner, role in people]
        here = scenario.provider.id
        async with unchecked_references(database) as session:
            for entity in VISIBLE:

                async def seen(entity: type[Base] = entity) -> list[str]:
                    """The roles of the viewers who see a row."""
                    found = []
                    for who in viewers:
                        statement = select(entity.__table__.c.id).where(scope.sees(who.role, entity)).limit(1)
                        if (await session.execute(statement, scope.viewer_params(who))).first():
                            found.append(who.role.name)
                    return found

                assert await seen(), entity.__name__
                change = await session.begin_nested()
                table = entity.__table__
                await session.execute(update(table).where(table.c.provider_id == here).values(provider_id=NO_PROVIDER))
                assert await seen() == [], entity.__name__
                await change.rollback()
    assert len(VISIBLE) > 15
