"""The session of a write transaction on PostgreSQL, which is SQLAlchemy's only where something needs that."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.direct_statements import send
from db.flush import flush
from db.loaded_entity import attributes_of, columns_of, loaded
from db.models.base import Key
from db.models.evidence import Evidence
from db.write_session import WriteSession
from domain.enums import PortfolioPart
from services.change_feed.changed_parts import changed_parts

# unscoped: a test
EVIDENCE = select(*columns_of(Evidence)).where(Evidence.id >= bindparam("least", type_=Key)).order_by(Evidence.id)


async def first_evidence(session: AsyncSession) -> Evidence:
    return loaded(session, Evidence, (await send(session, EVIDENCE, {"least": 0}))[0])


async def titles(database: Database) -> list[str]:
    return [row.title for row in await database.rows(EVIDENCE, {"least": 0})]


def made(session: AsyncSession) -> bool:
    assert isinstance(session, WriteSession)
    return session.made is not None


async def test_a_change_of_one_object_needs_no_session_of_sqlalchemy(demo_postgres: Database):
    async with demo_postgres.writing() as session:
        evidence = await first_evidence(session)
        assert await first_evidence(session) is evidence
        evidence.title = "Wheel"
        await flush(session)
        evidence.title = "Spoke"
        version = evidence.version
        assert changed_parts(session) == {PortfolioPart.EVIDENCE}
    assert not made(session) and (evidence.title, evidence.version) == ("Spoke", version + 1)
    assert (await titles(demo_postgres))[0] == "Spoke"


async def by_statement(session: AsyncSession, evidence: Evidence) -> Any:
    # unscoped: a test
    return (await session.execute(select(Evidence).where(Evidence.id == evidence.id))).scalar_one()


async def by_refresh(session: AsyncSession, evidence: Evidence) -> Any:
    await session.refresh(evidence, ["status"])
    return evidence


@pytest.mark.parametrize("need", [by_statement, by_refresh])
async def test_the_session_of_sqlalchemy_has_the_objects_and_changes_of_before(
    demo_postgres: Database, need: Callable[[AsyncSession, Evidence], Awaitable[Any]]
):
    async with demo_postgres.writing() as session:
        evidence, version = await first_evidence(session), 0
        version, evidence.title = evidence.version, "Wheel"
        assert await need(session, evidence) is evidence and made(session)
        assert evidence.title == "Wheel"
        # Rows of later statements are of the same objects.
        assert await first_evidence(session) is evidence
        evidence.description = "Round"
    async with demo_postgres.writing() as session:
        stored = await first_evidence(session)
        assert (stored.title, stored.description) == ("Wheel", "Round")
        assert stored.version > version


@pytest.mark.parametrize("needs_session", [False, True])
async def test_a_failed_transaction_leaves_no_change_and_an_idle_connection(
    demo_postgres: Database, needs_session: bool
):
    before = await titles(demo_postgres)
    with pytest.raises(LookupError):
        async with demo_postgres.writing() as session:
            (await first_evidence(session)).title = "Lost"
            await flush(session)
            if needs_session:
                await session.execute(text("select 1"))
            raise LookupError
    assert await titles(demo_postgres) == before
    counts = demo_postgres.pool_counts()["writes"]
    assert (counts.in_use, counts.idle) == (0, 1)


@pytest.mark.parametrize("needs_session", [False, True])
async def test_what_the_commit_refuses_is_an_integrity_error(demo_postgres: Database, needs_session: bool):
    async with demo_postgres.reading(primary=True) as connection:
        await connection.execute(text("create table checked (a int unique deferrable initially deferred)"))
    # Two of the same number, which PostgreSQL finds at the commit.
    adding = text("insert into checked values (1)")
    with pytest.raises(IntegrityError):
        async with demo_postgres.writing() as session:
            await first_evidence(session)
            if needs_session:
                await session.execute(adding)
                await session.execute(adding)
            else:
                assert isinstance(session, WriteSession)
                driver = session._direct.connection.driver
                await driver.execute("insert into checked values (1), (1)")
    assert made(session) is needs_session
    assert demo_postgres.pool_counts()["writes"].in_use == 0
    assert attributes_of(Evidence) and (await titles(demo_postgres))


async def test_a_transaction_without_a_statement_sends_nothing(demo_postgres: Database):
    async with demo_postgres.writing() as session:
        pass
    assert not made(session)
    assert demo_postgres.pool_counts()["writes"].in_use == 0
