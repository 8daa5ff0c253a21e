"""The read for a write locks a row against other writes only, and a second one gives what the row has by then."""

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql

from db.database import Database
from db.models.base import Base
from db.models.employer import Employer
from db.models.registry import entities
from domain.enums import Role
from repositories.scoped import _locking, lock_again, one_for_write, read_for_write
from tests.support.factories import Factory
from tests.support.viewers import viewer


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.__name__)
def test_the_read_for_a_write_locks_the_row_without_its_key(entity: type[Base]) -> None:
    """A full lock would block inserts that refer to the learner until the change of the learner commits."""
    locked, read = (
        str(one_for_write(Role.MASTER_ADMIN, entity, locked).build().compile(dialect=postgresql.dialect()))
        for locked in (True, False)
    )
    assert locked.endswith(f"FOR NO KEY UPDATE OF {entity.__tablename__}")
    assert "FOR " not in read


def test_an_object_is_locked_again_without_its_key() -> None:
    locked = str(_locking(Employer).build().compile(dialect=postgresql.dialect()))
    assert locked.endswith("FOR NO KEY UPDATE OF employer")


async def test_the_read_for_a_write_gives_the_row_of_the_key_within_the_scope(database: Database) -> None:
    async with database.writing() as session:
        make = Factory(session)
        ours, theirs = await make.provider("Brightpath"), await make.provider("Far College")
        sites = [await make.employer(provider, name) for provider, name in ((ours, "A"), (ours, "B"), (theirs, "C"))]
        admin = await make.user(ours, "Mia", Role.MASTER_ADMIN)
        who = viewer(admin, Role.MASTER_ADMIN)
    async with database.writing() as session:
        found = [await read_for_write(session, who, Employer, site.id, locked=True) for site in sites]
        assert [each and (each.id, each.name) for each in found] == [(sites[0].id, "A"), (sites[1].id, "B"), None]
        assert await read_for_write(session, who, Employer, sites[2].id + 1, locked=True) is None


async def test_an_object_that_is_locked_again_has_what_its_row_has_now(database: Database) -> None:
    async with database.writing() as session:
        make = Factory(session)
        provider = await make.provider("Brightpath")
        await make.employer(provider, "Another site")
        key = (await make.employer(provider, "Ferry Lane")).id
    async with database.writing() as session:
        found = (await session.execute(select(Employer).where(Employer.id == key))).scalar_one()
        table = Employer.__table__
        await session.execute(update(table).where(table.c.id == key).values(name="Ferry Lane Works"))
        await lock_again(session, found)
        assert (found.name, list(session.dirty)) == ("Ferry Lane Works", [])
        await session.execute(delete(table).where(table.c.id == key))
        with pytest.raises(LookupError, match="Employer"):
            await lock_again(session, found)
