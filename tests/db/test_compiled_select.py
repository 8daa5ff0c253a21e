"""Compiled selects: the same rows as SQLAlchemy's for every type of column, and one compilation for each statement."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import BigInteger, Select, bindparam, func, literal, select
from sqlalchemy.exc import InvalidRequestError

from db.compiled_select import CompiledSelectCache
from db.database import Database
from db.models.aim import Aim
from db.models.base import Base, Key, UtcDateTime
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import AimStatus, SessionStatus

ALL_TABLES = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
PLANNED_SESSIONS = select(Session.id, Session.status).where(
    Session.status == SessionStatus.PLANNED, Session.id > bindparam("least", type_=Key)
)
IN_STATUS = select(Aim.id).where(Aim.status == bindparam("status", type_=Aim.__table__.c.status.type))


async def rows_by_sqlalchemy(
    database: Database, statement: Select[Any], parameters: dict[str, Any] | None = None
) -> list[tuple]:
    async with database.reading(primary=True) as connection:
        return [tuple(row) for row in await connection.execute(statement, parameters)]


async def test_every_column_of_every_table_is_read_as_by_sqlalchemy(demo_database: Database):
    types_seen = set()
    for table in ALL_TABLES:
        statement = select(*table.c).order_by(*table.primary_key).limit(200)
        expected = await rows_by_sqlalchemy(demo_database, statement)
        rows = await demo_database.rows(statement)
        assert [tuple(row) for row in rows] == expected, table.name
        for row, expected_row in zip(rows, expected, strict=True):
            assert [type(value) for value in row] == [type(value) for value in expected_row], table.name
            types_seen |= {
                type(column.type).__name__
                for column, value in zip(table.c, expected_row, strict=True)
                if value is not None
            }
    # The demo has a value in a column of each type, so no type is left out of the comparison.
    assert types_seen == {type(column.type).__name__ for table in ALL_TABLES for column in table.c}


async def test_rows_have_the_column_names_of_sqlalchemy(demo_database: Database):
    statement = select(User.id, func.count().over().label("count"), Learner.id).join(
        Learner, Learner.user_id == User.id
    )
    (first, *_), (expected, *_) = (
        await demo_database.rows(statement),
        await rows_by_sqlalchemy(demo_database, statement),
    )
    assert (first.id, first._mapping["count"], first.id_1) == expected
    user, count, learner = first
    assert first[:2] == (user, count) and learner == expected[2]


async def test_parameters_and_constants_select_the_same_rows_as_sqlalchemy(demo_database: Database):
    learners = [row.id for row in await demo_database.rows(select(Learner.id).order_by(Learner.id))]
    ended = (AimStatus.COMPLETED, AimStatus.WITHDRAWN)
    for statement, parameters in (
        (PLANNED_SESSIONS, {"least": 0}),
        (PLANNED_SESSIONS, {"least": 3, "unknown_parameter": 1}),
        (select(Aim.id).where(Aim.status.not_in(ended)).order_by(Aim.id), {}),
        (select(Aim.id).where(any_of(Aim.learner_id)).order_by(Aim.id), {"keys": learners[:3]}),
        (select(Aim.id).where(any_of(Aim.learner_id)), {"keys": []}),
        (select(User.name).where(User.name != 'O\'Neill \\ "%s" :x $1 ?'), {}),
        (select(literal(2_000, BigInteger) * 2_000_000, literal(-3)), {}),
        (
            select(Session.id).where(Session.starts_at < bindparam("moment", type_=UtcDateTime)),
            {"moment": dt.datetime(2090, 1, 1, 3, tzinfo=dt.timezone(dt.timedelta(hours=5)))},
        ),
        (
            select(Session.id).where(Session.starts_at < bindparam("moment", type_=UtcDateTime)),
            {"moment": dt.datetime(2090, 1, 1, tzinfo=dt.UTC)},
        ),
        (select(Aim.id).where(Aim.start_date > bindparam("day", dt.date(2020, 1, 1))), {}),
        (select(Aim.id).where(Aim.start_date > bindparam("day", dt.date(2020, 1, 1))), {"day": dt.date(2024, 1, 1)}),
        (IN_STATUS, {"status": AimStatus.IN_TRAINING}),
        (IN_STATUS, {"status": "COMPLETED"}),
        (IN_STATUS, {"status": None}),
    ):
        rows = [tuple(row) for row in await demo_database.rows(statement, parameters)]
        assert sorted(rows) == sorted(await rows_by_sqlalchemy(demo_database, statement, parameters)), str(statement)


async def test_constants_are_written_into_the_sql_and_parameters_are_not(demo_database: Database):
    compiled = await demo_database._selects.compile(PLANNED_SESSIONS)
    assert "'PLANNED'" in compiled.sql
    assert compiled.arguments({"least": 7}) == [7]


async def test_a_missing_parameter_is_an_error(demo_database: Database):
    with pytest.raises(InvalidRequestError, match="least"):
        await demo_database.rows(PLANNED_SESSIONS)


async def test_a_moment_without_a_time_zone_is_an_error(demo_database: Database):
    naive = select(Session.id).where(Session.starts_at < bindparam("moment", type_=UtcDateTime))
    with pytest.raises(ValueError, match="time zone"):
        await demo_database.rows(naive, {"moment": dt.datetime(2090, 1, 1)})


async def test_a_statement_is_compiled_once_and_dropped_with_the_statement(demo_database: Database):
    statement = select(Learner.id).where(Learner.id > bindparam("least", type_=Key))
    assert demo_database._selects.find(statement) is None
    await demo_database.rows(statement, {"least": 0})
    compiled = demo_database._selects.find(statement)
    assert compiled is not None
    for _ in range(4):
        await demo_database.rows(statement, {"least": 0})
        assert demo_database._selects.find(statement) is compiled
    # Another database of this kind takes what is compiled.
    other = Database(demo_database.url)
    await other.rows(statement, {"least": 0})
    await other.close()
    assert other._selects.find(statement) is compiled
    cache = CompiledSelectCache(demo_database._write_engine.dialect)
    await cache.compile(select(Learner.id))
    assert len(cache._compiled) == 0
