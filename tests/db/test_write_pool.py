"""The connections of write transactions on PostgreSQL: used again, limited, replaced when they may be dead."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Integer, bindparam, func, literal_column, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.direct_statements import send
from db.models.base import Key
from db.write_session import WriteSession

PROCESS = select(func.pg_backend_pid().label("process")).where(bindparam("one", type_=Key) == 1)


async def process_of(session: AsyncSession) -> int:
    ((process,),) = await send(session, PROCESS, {"one": 1})
    return int(process)


async def process_of_write(database: Database) -> int:
    async with database.writing() as session:
        return await process_of(session)


async def test_a_connection_is_used_again_by_both_kinds_of_statement(demo_postgres: Database):
    first = await process_of_write(demo_postgres)
    async with demo_postgres.writing() as session:
        assert (await session.execute(text("select pg_backend_pid()"))).scalar_one() == first
        assert await process_of(session) == first
    counts = demo_postgres.pool_counts()["writes"]
    assert (counts.in_use, counts.idle) == (0, 1)


@pytest.fixture
async def two(demo_postgres: Database) -> AsyncIterator[Database]:
    """A database with two connections for writes."""
    database = Database(demo_postgres.url, pool_size=2)
    yield database
    await database.close()


def writes(database: Database) -> tuple[int, int, int, int]:
    counts = database.pool_counts()["writes"]
    return counts.in_use, counts.idle, counts.limit, counts.waiting


async def test_a_transaction_that_waits_for_a_connection_gets_the_next_that_ends(two: Database):
    async with two.writing() as one:
        first = await process_of(one)
        async with two.writing() as other:
            second, ended = await process_of(other), []

            async def note(name: str) -> int:
                process = await process_of_write(two)
                ended.append(name)
                return process

            waiting = [asyncio.create_task(note(name)) for name in ("first", "second", "third")]
            await asyncio.sleep(0.1)
            assert ended == []
            assert writes(two) == (2, 0, 2, 3)
        async with asyncio.timeout(4):
            # None is opened for them, and the first that came is the first to have one.
            assert {await each for each in waiting} == {second} != {first}
        assert ended == ["first", "second", "third"]
    assert writes(two) == (0, 2, 2, 0)


async def test_the_wait_for_a_connection_times_out(two: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("db.write_pool.ACQUIRE_SECONDS", 0.2)
    async with two.writing(), two.writing():
        with pytest.raises(PoolTimeout):
            async with two.writing():
                pass
        assert writes(two) == (2, 0, 2, 0)
    assert await process_of_write(two)


@pytest.mark.parametrize("lost", [False, True])
async def test_what_is_cancelled_while_it_waits_keeps_no_connection(two: Database, lost: bool):
    async with two.writing(), two.writing():
        early, late = (asyncio.create_task(process_of_write(two)) for _ in range(2))
        await asyncio.sleep(0.05)
        early.cancel()
        await asyncio.wait([early])
        assert writes(two) == (2, 0, 2, 1)
        if lost:
            two.expire_connections()
    # Nothing was sent on them, so that they end at once: what was given is not taken yet.
    late.cancel()
    await asyncio.wait([late])
    assert (early.cancelled(), late.cancelled()) == (True, True)
    assert writes(two) == ((0, 0, 2, 0) if lost else (0, 2, 2, 0))
    for _ in range(3):
        assert await process_of_write(two)


async def test_a_connection_that_was_lost_is_replaced_for_who_waits(two: Database):
    async with two.writing() as one, two.writing() as other:
        earlier = {await process_of(one), await process_of(other)}
        waiting = [asyncio.create_task(process_of_write(two)) for _ in range(3)]
        await asyncio.sleep(0.05)
        two.expire_connections()
    async with asyncio.timeout(4):
        assert not {await each for each in waiting} & earlier
    assert writes(two)[::2] == (0, 2)


async def test_a_connection_that_cannot_be_opened_takes_no_place(demo_postgres: Database):
    database = Database(f"{demo_postgres.url}-nowhere", pool_size=1)
    try:
        for _ in range(3):
            with pytest.raises((OSError, DBAPIError)):
                await process_of_write(database)
            assert writes(database) == (0, 0, 1, 0)
    finally:
        await database.close()


async def test_expired_connections_are_replaced(demo_postgres: Database):
    earlier = await process_of_write(demo_postgres)
    demo_postgres.expire_connections()
    later = await process_of_write(demo_postgres)
    assert later != earlier
    async with demo_postgres.writing() as session:
        assert await process_of(session) == later
        demo_postgres.expire_connections()
    # It was in use, and is replaced after its transaction, which is committed.
    assert await process_of_write(demo_postgres) != later
    counts = demo_postgres.pool_counts()["writes"]
    assert (counts.in_use, counts.idle) == (0, 1)


async def test_a_connection_that_the_server_closed_while_it_was_idle_is_replaced(demo_postgres: Database):
    first = await process_of_write(demo_postgres)
    await demo_postgres.rows(select(func.pg_terminate_backend(first)))
    async with asyncio.timeout(10):
        while not demo_postgres._write_pool._idle[0].driver.is_closed():
            await asyncio.sleep(0.01)
    assert await process_of_write(demo_postgres) != first
    counts = demo_postgres.pool_counts()["writes"]
    assert (counts.in_use, counts.idle) == (0, 1)


async def test_a_long_statement_stays_prepared(demo_postgres: Database):
    sql = f"select '{'x' * 20_000}'"
    count = "select count(*) from pg_prepared_statements where length(statement) > 15000"
    async with demo_postgres.writing() as session:
        assert isinstance(session, WriteSession)
        await process_of(session)
        driver = session._direct.connection.driver
        for _ in range(2):
            await driver.fetch_prepared(sql, [])
        assert await driver.fetchval(count) == 1


async def test_connections_are_closed_with_the_pool(demo_postgres: Database, caplog: pytest.LogCaptureFixture):
    database = Database(demo_postgres.url, pool_size=2)
    async with database.writing() as one, database.writing() as other:
        processes = {await process_of(one), await process_of(other)}
    await database.close()
    assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []
    alive = (
        select(func.count()).where(literal_column("pid", Integer).in_(processes)).select_from(table("pg_stat_activity"))
    )
    async with asyncio.timeout(10):
        while (await demo_postgres.rows(alive))[0][0]:
            await asyncio.sleep(0.02)
