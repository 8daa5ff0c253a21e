"""The read pools: lost connections are replaced, failed and cancelled reads leave nothing behind, waits are bounded."""

import asyncio
import sys
from types import FrameType

import pytest
from sqlalchemy import BigInteger, bindparam, func, literal, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.database import Database
from db.models.provider import Provider
from db.read_pool import PostgresPool

PROVIDERS = select(Provider.id, Provider.name)


async def test_a_failed_read_does_not_affect_the_next(demo_database: Database):
    failing = select(literal(1, BigInteger) / bindparam("by", type_=BigInteger)).where(func.no_such_function(1) == 1)
    for _ in range(40):
        with pytest.raises(DBAPIError):
            await demo_database.rows(failing, {"by": 0})
    assert await demo_database.rows(PROVIDERS) == await demo_database.rows(PROVIDERS) != []


async def test_lost_connections_are_replaced(demo_postgres: Database):
    await asyncio.gather(*(demo_postgres.rows(PROVIDERS) for _ in range(8)))
    expected = await demo_postgres.rows(PROVIDERS)
    async with demo_postgres.reading(primary=True) as connection:
        await connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and datname = current_database()"
            )
        )
    results = await asyncio.gather(*(demo_postgres.rows(PROVIDERS) for _ in range(8)))
    assert results == [expected] * 8


async def test_a_cancelled_read_leaves_the_pool_usable(demo_postgres: Database):
    slow = select(func.pg_sleep(bindparam("seconds", type_=BigInteger)), Provider.id)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await demo_postgres.rows(slow, {"seconds": 30})
    async with asyncio.timeout(10):
        results = await asyncio.gather(*(demo_postgres.rows(PROVIDERS) for _ in range(20)))
    assert all(result == results[0] for result in results)


async def test_the_pool_is_bounded_and_waiting_times_out(demo_postgres: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("db.read_pool.ACQUIRE_SECONDS", 0.2)
    pool = demo_postgres._primary_pool
    assert isinstance(pool, PostgresPool)
    busy = [asyncio.create_task(pool.fetch("select pg_sleep(1.5)", [])) for _ in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(PoolTimeout):
        await demo_postgres.rows(PROVIDERS)
    await asyncio.gather(*busy)
    assert len(pool._idle) == 2


async def test_an_unreachable_database_raises_what_sqlalchemy_raises(tmp_path):
    database = Database(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(OperationalError) as raised:
        await database.rows(PROVIDERS)
    assert raised.value.connection_invalidated
    await database.close()


async def test_a_read_is_prepared_again_after_a_migration(demo_postgres: Database):
    pool = demo_postgres._primary_pool
    assert isinstance(pool, PostgresPool)
    async with demo_postgres.reading(primary=True) as connection:
        await connection.execute(text("create table grows (a int)"))
        await connection.execute(text("insert into grows values (1)"))
    for _ in range(2):
        assert [tuple(row) for row in await pool.fetch("select * from grows", [])] == [(1,)]
    async with demo_postgres.reading(primary=True) as connection:
        await connection.execute(text("alter table grows add b int"))
    # PostgreSQL refuses the prepared statement, whose result has another column now.
    for _ in range(2):
        assert [tuple(row) for row in await pool.fetch("select * from grows", [])] == [(1, None)]
    assert len(pool._idle) == 1


async def test_a_prepared_read_calls_few_functions_of_the_driver(demo_postgres: Database):
    pool = demo_postgres._primary_pool
    assert isinstance(pool, PostgresPool)
    await pool.fetch("select 1", [])
    called: list[str] = []

    def note(frame: FrameType, kind: str, _: object) -> None:
        if kind == "call" and "asyncpg" in frame.f_code.co_filename:
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        await pool.fetch("select 1", [])
    finally:
        sys.setprofile(None)
    # `fetch` of asyncpg calls eleven.
    assert len(called) <= 5, called
