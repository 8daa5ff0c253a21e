"""The database: reads in autocommit, listeners of reads, and the plans of SQLite and PostgreSQL."""

import pytest
from sqlalchemy import bindparam, column, event, func, select, table, text
from sqlalchemy.exc import DBAPIError

from db.database import Database, statement_count
from db.models.aim import Aim
from db.models.base import Key
from db.models.criterion_progress import CriterionProgress
from db.models.provider import Provider
from db.models.session import Session
from db.sql.any_of import any_of
from domain.enums import SessionStatus
from tests.support.demo_server import Demo
from tests.support.factories import Factory

PLANNED_SESSIONS = select(Session.id, Session.status).where(
    Session.status == SessionStatus.PLANNED, Session.id > bindparam("least", type_=Key)
)


async def test_reads_are_counted_and_begin_no_transaction(demo_database: Database):
    sent: list[str] = []
    engine = demo_database.sync_engines[0]
    event.listen(engine, "begin", lambda connection: sent.append("begin"))
    event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
    count = [0]
    token = statement_count.set(count)
    try:
        await demo_database.rows(PLANNED_SESSIONS, {"least": 0})
        await demo_database.rows(PLANNED_SESSIONS, {"least": 1})
    finally:
        statement_count.reset(token)
    assert (count, sent) == ([2], [])


async def test_listeners_are_called_after_each_read(demo_database: Database):
    calls: list[tuple[str, float, float, str | None]] = []
    demo_database.read_listeners.append(lambda *call: calls.append(call))
    await demo_database.rows(PLANNED_SESSIONS, {"least": 0})
    with pytest.raises(DBAPIError):
        await demo_database.rows(select(func.no_such_function(1)))
    (sql, began, ended, no_error), (_, _, _, error) = calls
    assert "'PLANNED'" in sql and began <= ended and no_error is None
    assert error in ("DBAPIError", "OperationalError")


async def test_a_read_sees_what_was_committed_before_it(database: Database):
    async with database.writing() as session:
        provider = await Factory(session).provider("Brightpath")
        assert await database.rows(select(Provider.id)) == []
    assert [row.id for row in await database.rows(select(Provider.id))] == [provider.id]


async def test_sqlite_has_statistics_of_its_indexes(demo: Demo):
    database = Database(await demo.database_url("sqlite"))
    await database.analyze()
    async with database.reading() as connection:
        statistics = await connection.execute(text("select idx, stat from sqlite_stat1 where tbl = 'aim'"))
        rows_per_key = {index: int(stat.split()[1]) for index, stat in statistics}
    assert rows_per_key["ix_aim_learner"] < 10 < rows_per_key["ix_aim_provider_id"]
    await database.close()


async def test_postgresql_reads_without_jit_and_with_a_generic_plan_for_a_few_keys(demo: Demo):
    database = Database(await demo.database_url("postgresql"))
    assert (await database.rows(select(func.current_setting("jit").label("jit"))))[0].jit == "off"
    criteria = select(CriterionProgress.criterion_id).join(Aim, Aim.id == CriterionProgress.aim_id)
    of_keys = criteria.where(any_of(CriterionProgress.aim_id), any_of(Aim.id))
    keys = [row.id for row in await database.rows(select(Aim.id).order_by(Aim.id).limit(2))]
    for _ in range(9):
        assert len(await database.rows(of_keys, {"keys": keys})) > 20
    assert await database.rows(of_keys, {"keys": []}) == []
    prepared = table("pg_prepared_statements", column("statement"), column("generic_plans"), column("custom_plans"))
    plans = select(prepared.c.generic_plans, prepared.c.custom_plans).where(
        prepared.c.statement.like("SELECT criterion_progress.criterion_id%")
    )
    [(generic, custom)] = await database.rows(plans)
    # PostgreSQL makes custom plans for the first five executions, then compares their cost with a generic plan.
    assert (generic, custom) == (5, 5)
    await database.close()
