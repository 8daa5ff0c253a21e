"""The read for a write locks a row against other writes only, and a second one gives what the row has by then."""

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql

from db.database import Database
from db.models.base import Base
from db.models.employer import Employer
from db.models.registry import entities
from domain.enums import Role
from repositories.scoped import lock_again, one_for_write
from tests.support.factories import Factory


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.__name__)
def test_the_read_for_a_write_locks_the_row_without_its_key(entity: type[Base]) -> None:
    """A full lock would block inserts that refer to the learner until the change of the learner commits."""
    locked, read = (
        str(one_for_write(Role.MASTER_ADMIN, entity, locked).build().compile(dialect=postgresql.dialect()))
        for locked in (True, False)
    )
    assert locked.endswith(f"FOR NO KEY UPDATE OF {entity.__tablename__}")
    assert "FOR " not in read


async def test_an_object_that_is_locked_again_has_what_its_row_has_now(database: Database) -> None:
    async with database.writing() as session:
        make = Factory(session)
        key = (await make.employer(await make.provider("Brightpath"), "Ferry Lane")).id
    async with database.writing() as session:
        found = (await session.execute(select(Employer).where(Employer.id == key))).scalar_one()
        table = Employer.__table__
        await session.execute(update(table).where(table.c.id == key).values(name="Ferry Lane Works"))
        await lock_again(session, found)
        assert (found.name, list(session.dirty)) == ("Ferry Lane Works", [])
        await session.execute(delete(table).where(table.c.id == key))
        with pytest.raises(LookupError, match="Employer"):
            await lock_again(session, found)
