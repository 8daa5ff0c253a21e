"""The connections of write transactions on PostgreSQL: used again, limited, replaced when they may be dead."""

import asyncio

import pytest
from sqlalchemy import Integer, bindparam, func, literal_column, select, table, text
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


async def test_a_transaction_that_waits_for_a_connection_gets_the_next_that_ends(demo_postgres: Database):
    database = Database(demo_postgres.url, pool_size=1)
    try:
        # One that is kept, and one that is opened under load.
        async with database.writing() as one, database.writing() as other:
            busy = {await process_of(one), await process_of(other)}
            waiting = asyncio.create_task(process_of_write(database))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            counts = database.pool_counts()["writes"]
            assert (counts.in_use, counts.idle, counts.limit) == (2, 0, 2)
        async with asyncio.timeout(4):
            assert await waiting in busy
        assert database.pool_counts()["writes"].in_use == 0
    finally:
        await database.close()


async def test_the_wait_for_a_connection_times_out(demo_postgres: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("db.engines.ACQUIRE_SECONDS", 0.2)
    database = Database(demo_postgres.url, pool_size=1)
    try:
        async with database.writing(), database.writing():
            with pytest.raises(PoolTimeout):
                async with database.writing():
                    pass
        assert await process_of_write(database)
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


async def test_connections_beyond_the_limit_of_those_kept_are_closed_with_the_pool(
    demo_postgres: Database, caplog: pytest.LogCaptureFixture
):
    database = Database(demo_postgres.url, pool_size=1)
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
