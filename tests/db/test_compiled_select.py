"""Reads on the short way: the same rows as SQLAlchemy's for every column there is, compiled once, whole after a fault."""

import asyncio
import datetime as dt
from typing import Any

import pytest
from sqlalchemy import BigInteger, Select, bindparam, column, event, func, literal, select, table, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.compiled_select import CompiledSelectCache
from db.database import Database, statement_count
from db.models import registry as tables
from db.models.base import Key, UtcDateTime
from db.read_pool import PostgresPool
from db.sql.any_of import any_of
from domain.enums import AimStatus, SessionStatus
from tests.support.demo_server import Demo
from tests.support.worlds import World

EVERY_TABLE = sorted(tables.Base.metadata.tables.values(), key=lambda table: table.name)
BY_STATUS = select(tables.Session.id, tables.Session.status).where(
    tables.Session.status == SessionStatus.PLANNED, tables.Session.id > bindparam("least", type_=Key)
)


async def usual(database: Database, statement: Select[Any], parameters: dict[str, Any] | None = None) -> list[tuple]:
    """As SQLAlchemy reads them."""
    async with database.reading(primary=True) as connection:
        return [tuple(row) for row in await connection.execute(statement, parameters)]


@pytest.fixture
async def full(demo: Demo, backend: str):
    database = Database(await demo.database_url(backend))
    yield database
    await database.close()


async def test_every_column_of_every_table_is_read_as_sqlalchemy_reads_it(full: Database):
    seen = set()
    for table in EVERY_TABLE:
        statement = select(*table.c).order_by(*table.primary_key).limit(200)
        expected = await usual(full, statement)
        found = await full.rows(statement)
        assert [tuple(row) for row in found] == expected, table.name
        for one, other in zip(found, expected, strict=True):
            assert [type(value) for value in one] == [type(value) for value in other], table.name
            seen |= {
                type(column.type).__name__ for column, value in zip(table.c, other, strict=True) if value is not None
            }
    # The demo has a value of each type of column there is, so that the comparison says something.
    assert seen == {type(column.type).__name__ for table in EVERY_TABLE for column in table.c}


async def test_names_of_columns_work_as_on_a_row(full: Database):
    statement = select(tables.User.id, func.count().over().label("count"), tables.Learner.id).join(
        tables.Learner, tables.Learner.user_id == tables.User.id
    )
    (first, *_), (other, *_) = await full.rows(statement), await usual(full, statement)
    assert (first.id, first._mapping["count"], first.id_1) == other
    user, count, learner = first
    assert first[:2] == (user, count) and learner == other[2]


async def test_what_is_bound_and_what_stands_in_the_statement(full: Database):
    learners = [row.id for row in await full.rows(select(tables.Learner.id).order_by(tables.Learner.id))]
    ended = (AimStatus.COMPLETED, AimStatus.WITHDRAWN)
    for statement, parameters in (
        (BY_STATUS, {"least": 0}),
        (BY_STATUS, {"least": 3, "somebody_elses": 1}),
        (select(tables.Aim.id).where(tables.Aim.status.not_in(ended)).order_by(tables.Aim.id), {}),
        (select(tables.Aim.id).where(any_of(tables.Aim.learner_id)).order_by(tables.Aim.id), {"keys": learners[:3]}),
        (select(tables.Aim.id).where(any_of(tables.Aim.learner_id)), {"keys": []}),
        (select(tables.User.name).where(tables.User.name != 'O\'Neill \\ "%s" :x $1 ?'), {}),
        (select(literal(2_000, BigInteger) * 2_000_000, literal(-3)), {}),
        (
            select(tables.Session.id).where(tables.Session.starts_at < bindparam("moment", type_=UtcDateTime)),
            {"moment": dt.datetime(2090, 1, 1, 3, tzinfo=dt.timezone(dt.timedelta(hours=5)))},
        ),
        (select(tables.Aim.id).where(tables.Aim.start_date > bindparam("day", dt.date(2020, 1, 1))), {}),
    ):
        found = [tuple(row) for row in await full.rows(statement, parameters)]
        assert sorted(found) == sorted(await usual(full, statement, parameters)), str(statement)


async def test_constants_are_written_out_and_parameters_are_not(full: Database):
    plan = full._plans.plan(BY_STATUS)
    assert "'PLANNED'" in plan.sql
    assert plan.arguments({"least": 7}) == [7]


async def test_a_statement_without_its_viewer_does_not_run(full: Database):
    with pytest.raises(InvalidRequestError, match="least"):
        await full.rows(BY_STATUS)


async def test_a_statement_is_compiled_once_and_forgotten_with_it(full: Database):
    hits, misses = full.select_cache_counts
    for _ in range(5):
        await full.rows(BY_STATUS, {"least": 0})
    assert full.select_cache_counts == (hits + 4, misses + 1)
    plans = CompiledSelectCache(full._write_engine.dialect)
    plans.plan(select(tables.Learner.id))
    assert len(plans._known) == 0


async def test_reads_are_counted_and_begin_no_transaction(full: Database):
    sent: list[str] = []
    engine = full.sync_engines[0]
    event.listen(engine, "begin", lambda connection: sent.append("begin"))
    event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    count = [0]
    token = statement_count.set(count)
    try:
        await full.rows(BY_STATUS, {"least": 0})
        await full.rows(BY_STATUS, {"least": 1})
    finally:
        statement_count.reset(token)
    assert (count, sent) == ([2], [])


async def test_who_watches_is_told_of_each_read(full: Database):
    told: list[tuple[str, float, float, str | None]] = []
    full.watchers.append(lambda *read: told.append(read))
    await full.rows(BY_STATUS, {"least": 0})
    with pytest.raises(DBAPIError):
        await full.rows(select(func.no_such_function(1)))
    (first, began, ended, error), (_, _, _, fault) = told
    assert "'PLANNED'" in first and began <= ended and error is None
    assert fault in ("DBAPIError", "OperationalError")


async def test_a_read_sees_what_was_committed_before_it(database: Database):
    async with database.writing() as session:
        provider = await World(session).provider("Brightpath")
        assert await database.rows(select(tables.Provider.id)) == []
    assert [row.id for row in await database.rows(select(tables.Provider.id))] == [provider.id]


async def test_a_fault_in_one_read_leaves_the_next_one_well(full: Database):
    broken = select(literal(1, BigInteger) / bindparam("by", type_=BigInteger)).where(func.no_such_function(1) == 1)
    for _ in range(40):
        with pytest.raises(DBAPIError):
            await full.rows(broken, {"by": 0})
    assert await full.rows(BY_STATUS, {"least": 0}) == await full.rows(BY_STATUS, {"least": 0})


@pytest.fixture
async def away(demo: Demo):
    database = Database(await demo.database_url("postgresql"), pool_size=2)
    yield database
    await database.close()


async def test_connections_that_died_are_replaced_unseen(away: Database):
    await asyncio.gather(*(away.rows(BY_STATUS, {"least": 0}) for _ in range(8)))
    expected = await away.rows(BY_STATUS, {"least": 0})
    async with away.reading(primary=True) as connection:
        await connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and datname = current_database()"
            )
        )
    found = await asyncio.gather(*(away.rows(BY_STATUS, {"least": 0}) for _ in range(8)))
    assert found == [expected] * 8


async def test_a_read_that_is_given_up_takes_no_connection_with_it(away: Database):
    slow = select(func.pg_sleep(bindparam("seconds", type_=BigInteger)), tables.Provider.id)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await away.rows(slow, {"seconds": 30})
    async with asyncio.timeout(10):
        found = await asyncio.gather(*(away.rows(BY_STATUS, {"least": 0}) for _ in range(20)))
    assert all(each == found[0] for each in found)


async def test_no_more_connections_than_allowed_and_a_word_when_all_are_busy(away: Database, monkeypatch):
    monkeypatch.setattr("db.read_pool._PATIENCE_SECONDS", 0.2)
    pool: PostgresPool = away._primary_pool
    busy = [asyncio.create_task(pool.fetch("select pg_sleep(1.5)", [])) for _ in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(PoolTimeout):
        await away.rows(BY_STATUS, {"least": 0})
    await asyncio.gather(*busy)
    assert len(pool._free) == 2


async def test_a_database_that_is_not_there_is_said_as_sqlalchemy_says_it(tmp_path):
    database = Database(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(OperationalError) as raised:
        await database.rows(select(tables.Provider.id))
    assert raised.value.connection_invalidated
    await database.close()


async def test_sqlite_knows_how_many_rows_an_index_leads_to(demo: Demo):
    database = Database(await demo.database_url("sqlite"))
    await database.tune()
    async with database.reading() as connection:
        known = await connection.execute(text("select idx, stat from sqlite_stat1 where tbl = 'aim'"))
        rows_a_key = {index: int(stat.split()[1]) for index, stat in known}
    assert rows_a_key["ix_aim_learner"] < 10 < rows_a_key["ix_aim_provider_id"]
    await database.close()


async def test_postgresql_neither_compiles_a_read_nor_plans_it_anew_for_a_few_keys(demo: Demo):
    database = Database(await demo.database_url("postgresql"))
    assert (await database.rows(select(func.current_setting("jit").label("jit"))))[0].jit == "off"
    reached = select(tables.CriterionProgress.criterion_id).join(
        tables.Aim, tables.Aim.id == tables.CriterionProgress.aim_id
    )
    some = reached.where(any_of(tables.CriterionProgress.aim_id), any_of(tables.Aim.id))
    keys = [row.id for row in await database.rows(select(tables.Aim.id).order_by(tables.Aim.id).limit(2))]
    for _ in range(9):
        assert len(await database.rows(some, {"keys": keys})) > 20
    assert await database.rows(some, {"keys": []}) == []
    kept = table("pg_prepared_statements", column("statement"), column("generic_plans"), column("custom_plans"))
    plans = select(kept.c.generic_plans, kept.c.custom_plans).where(
        kept.c.statement.like("SELECT criterion_progress.criterion_id%")
    )
    [(generic, custom)] = await database.rows(plans)
    # It looks at five executions before it makes up its mind.
    assert (generic, custom) == (5, 5)
    await database.close()
