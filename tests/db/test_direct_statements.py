"""Statements that a write sends to the driver directly: in its transaction, with the errors of SQLAlchemy."""

import asyncio
import datetime as dt

import pytest
import uvloop
from sqlalchemy import bindparam, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database, statement_count
from db.direct_statements import send
from db.loaded_entity import attributes_of, loaded
from db.models.base import Key
from db.models.evidence import Evidence
from db.models.provider import Provider
from db.write_session import WriteSession

PROVIDERS = Provider.__table__.c
ADDING = (
    insert(Provider.__table__)
    .values(
        id=bindparam("key", type_=Key),
        **{
            column.name: bindparam(column.name, type_=column.type)
            for column in PROVIDERS
            if column.name == "name" or not (column.nullable or column.server_default or column.primary_key)
        },
    )
    .returning(PROVIDERS.id, PROVIDERS.name)
)
NAMES = select(PROVIDERS.name).where(PROVIDERS.id >= bindparam("least", type_=Key)).order_by(PROVIDERS.id)
SLEEPING = select(func.pg_sleep(bindparam("seconds")))
NUMBER = 9_000


def values(key: int, name: str) -> dict[str, object]:
    """The parameters of `ADDING`: each column as the mapper would set it."""
    found: dict[str, object] = {}
    for column in PROVIDERS:
        default = column.default.arg if column.default is not None else None
        found[column.name] = default(None) if callable(default) else default
    return {**found, "key": key, "name": name, "created_at": dt.datetime.now(dt.UTC)}


async def names(session: AsyncSession) -> list[str]:
    return [row.name for row in await send(session, NAMES, {"least": NUMBER})]


async def test_a_direct_statement_is_part_of_the_transaction(demo_database: Database):
    async with demo_database.writing() as session:
        (row,) = await send(session, ADDING, values(NUMBER, "Direct"))
        assert (row.id, row.name) == (NUMBER, "Direct")
        session.add(Provider(id=NUMBER + 1, name="Object", created_at=dt.datetime.now(dt.UTC)))
        await session.flush()
        assert await names(session) == ["Direct", "Object"]
    with pytest.raises(LookupError):
        async with demo_database.writing() as session:
            await send(session, ADDING, values(NUMBER + 2, "Lost"))
            raise LookupError
    async with demo_database.writing() as session:
        assert await names(session) == ["Direct", "Object"]


async def test_a_direct_statement_is_counted(demo_database: Database):
    count = [0]
    token = statement_count.set(count)
    try:
        async with demo_database.writing() as session:
            await names(session)
            await names(session)
    finally:
        statement_count.reset(token)
    # On SQLite BEGIN is a statement.
    assert count == [2 + demo_database.is_sqlite]


async def test_a_violated_constraint_is_an_integrity_error(demo_database: Database):
    with pytest.raises(IntegrityError):
        async with demo_database.writing() as session:
            await send(session, ADDING, values(NUMBER, "First"))
            await send(session, ADDING, values(NUMBER, "Second"))
    async with demo_database.writing() as session:
        assert await names(session) == []
    assert demo_database.pool_counts()["writes"].in_use == 0


async def test_listeners_are_called_after_a_direct_statement(demo_postgres: Database):
    calls: list[tuple[str, float, float, str | None]] = []
    demo_postgres.read_listeners.append(lambda *call: calls.append(call))
    with pytest.raises(IntegrityError):
        async with demo_postgres.writing() as session:
            await send(session, ADDING, values(NUMBER, "First"))
            await send(session, ADDING, values(NUMBER, "Second"))
    assert [(sql[:6], began <= ended, error) for sql, began, ended, error in calls] == [
        ("INSERT", True, None), ("INSERT", True, "IntegrityError"),
    ]  # fmt: skip


async def test_the_first_statement_takes_begin_along_once_it_is_prepared(demo_postgres: Database):
    async with demo_postgres.writing() as session:
        await send(session, ADDING, values(NUMBER, "Kept"))
    (connection,) = demo_postgres._write_pool._idle
    protocol = connection.driver._protocol
    before = protocol.queries_count
    with pytest.raises(LookupError):
        async with demo_postgres.writing() as session:
            await send(session, ADDING, values(NUMBER + 1, "Rolled back"))
            assert connection.driver.is_in_transaction()
            raise LookupError
    assert protocol.queries_count - before == 2
    with pytest.raises(IntegrityError):
        async with demo_postgres.writing() as session:
            await send(session, ADDING, values(NUMBER, "Again"))
    # What the driver refuses is not sent, but BEGIN is.
    with pytest.raises(DBAPIError, match="DataError"):
        async with demo_postgres.writing() as session:
            await send(session, ADDING, {**values(NUMBER + 1, ""), "name": 5})
    assert not connection.driver.is_in_transaction()
    async with demo_postgres.writing() as session:
        await send(session, ADDING, values(NUMBER + 2, "Also kept"))
        await send(session, ADDING, values(NUMBER + 3, "Also kept"))
    async with demo_postgres.writing() as session:
        assert await names(session) == ["Kept", "Also kept", "Also kept"]
    assert demo_postgres._write_pool._idle == [connection]


async def test_a_lost_connection_is_an_outage_and_is_replaced(demo_postgres: Database):
    ending = text("select pg_terminate_backend(:process)")
    with pytest.raises(DBAPIError) as raised:
        async with demo_postgres.writing() as session:
            process = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
            async with demo_postgres.reading() as other:
                await other.execute(ending, {"process": process})
            await names(session)
    assert raised.value.connection_invalidated
    assert demo_postgres.outages.since is not None
    async with demo_postgres.writing() as session:
        assert await names(session) == []
    assert demo_postgres.pool_counts()["writes"].in_use == 0


async def test_a_cancelled_direct_statement_leaves_the_pool_usable(demo_postgres: Database):
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), demo_postgres.writing() as session:
                await send(session, SLEEPING, {"seconds": 5.0})
    async with asyncio.timeout(4), demo_postgres.writing() as session:
        assert await names(session) == []
    assert demo_postgres.pool_counts()["writes"].in_use == 0


async def lose_before_the_first_statement(url: str) -> None:
    """Ends the connection of a write that has sent nothing yet."""
    database = Database(url, pool_size=2)
    try:
        async with database.writing() as session:
            # Prepared, so that BEGIN goes with it.
            await names(session)
        with pytest.raises(DBAPIError) as raised:
            async with database.writing() as session:
                assert isinstance(session, WriteSession)
                driver = session._direct.connection.driver
                await database.rows(select(func.pg_terminate_backend(driver.get_server_pid())))
                async with asyncio.timeout(10):
                    while not driver.is_closed():
                        await asyncio.sleep(0.01)
                await names(session)
        assert raised.value.connection_invalidated
        assert database.outages.since is not None
        async with database.writing() as session:
            assert await names(session) == []
        assert database.pool_counts()["writes"].in_use == 0
    finally:
        await database.close()


async def test_a_connection_lost_before_the_transaction_begins_is_an_outage_and_is_replaced(demo_postgres: Database):
    await lose_before_the_first_statement(demo_postgres.url)
    # On the server's event loop too: BEGIN is written to the transport, past the driver.
    await asyncio.to_thread(lambda: uvloop.run(lose_before_the_first_statement(demo_postgres.url)))


async def test_a_write_cancelled_at_any_point_leaves_no_row_and_a_pool_that_works(demo_database: Database):
    """The BEGIN among these points: a connection on which it was cancelled is not used again."""

    async def write() -> None:
        async with demo_database.writing() as session:
            await send(session, ADDING, values(NUMBER, "Cancelled"))
            await names(session)
            raise LookupError

    ended = 0
    while not ended:
        for turns in range(1000):
            task = asyncio.create_task(write())
            for _ in range(turns):
                await asyncio.sleep(0)
            ended += task.done()
            task.cancel()
            with pytest.raises((asyncio.CancelledError, LookupError)):
                await task
            async with asyncio.timeout(30), demo_database.writing() as session:
                assert await names(session) == []
            if ended:
                break
    assert demo_database.pool_counts()["writes"].in_use == 0


# unscoped: a test
ANY_EVIDENCE = select(*(getattr(Evidence, name).label(name) for name in attributes_of(Evidence))).limit(1)
# unscoped: a test
BY_KEY = select(Evidence).where(Evidence.id == bindparam("key", type_=Key))


async def test_an_object_made_of_a_row_is_the_one_that_the_session_would_select(demo_database: Database):
    async with demo_database.writing() as session:
        (row,) = await send(session, ANY_EVIDENCE)
        made = loaded(session, Evidence, row)
        assert not session.dirty and not session.new
        assert (await session.execute(BY_KEY, {"key": made.id})).scalar_one() is made
        key = made.id
    async with demo_database.writing() as session:
        selected = (await session.execute(BY_KEY, {"key": key})).scalar_one()
        assert {name: getattr(selected, name) for name in attributes_of(Evidence)} == dict(
            zip(attributes_of(Evidence), row, strict=True)
        )
        # What the session has already stays as it is, and what it does not know is filled in.
        selected.title = "Changed"
        session.expire(selected, ["description"])
        assert loaded(session, Evidence, row) is selected
        assert (selected.title, selected.description) == ("Changed", row.description)


async def test_a_changed_object_made_of_a_row_is_stored(demo_database: Database):
    async with demo_database.writing() as session:
        (row,) = await send(session, ANY_EVIDENCE)
        made = loaded(session, Evidence, row)
        made.title = "Changed"
    async with demo_database.writing() as session:
        stored = (await session.execute(BY_KEY, {"key": row.id})).scalar_one()
        assert (stored.title, stored.version) == ("Changed", row.version + 1)
