"""`auth.scope.sees` alone: which rows of each entity it selects, and that it compares the provider of each itself."""

import pytest
from sqlalchemy import select, update

from auth import scope
from db.models.base import Base
from db.models.evidence import Evidence
from db.models.registry import entities
from domain.enums import Role
from repositories.scoped import one_for_write
from tests.authorization.oracle import Visibility
from tests.authorization.rows import read_rows
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


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_the_rows_of_each_entity_are_those_of_the_oracle(databases: Databases, backend: str) -> None:
    async with databases.opened(backend, build_authorization) as (database, scenario):
        rows = await read_rows(database)
        for who, role in ONE_OF_EACH:
            user, _, learner = scenario.people[who]
            parameters = scope.viewer_params(viewer(user, role, learner))
            expected = Visibility(rows, user.id, role).ids
            for entity in VISIBLE:
                name = entity.type_name()
                for one in (False, True):
                    statement = select(entity.__table__.c.id).where(scope.sees(role, entity, one))
                    found = await database.rows(statement, parameters, primary=True)
                    assert {f"{name}_{row[0]}" for row in found} == expected[name], (who, name, one)


def test_the_aim_of_one_row_is_looked_up_and_those_of_many_are_not() -> None:
    """The rows are the same, by statements that a large database answers fast."""
    columns = Evidence.learner_id, Evidence.aim_id
    for many, one in (
        (scope.sees(Role.ASSESSOR, Evidence), scope.sees(Role.ASSESSOR, Evidence, one=True)),
        (scope.sees_record(Role.ASSESSOR, *columns), scope.sees_record(Role.ASSESSOR, *columns, one=True)),
    ):
        assert "EXISTS" in str(one) and "EXISTS" not in str(many)
    assert "EXISTS" in str(one_for_write(Role.ASSESSOR, Evidence, False).build())
