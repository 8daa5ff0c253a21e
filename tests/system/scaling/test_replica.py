"""Reads from a replica that lags: a user still reads their own writes, in every process."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from db import replica
from db.database import Database
from db.migrate import migrate
from services.demo import build_demo
from services.doctor import connection_checks
from services.doctor.finding import Status
from services.storage.file_store import open_store
from tests.support.client import HttpClient
from tests.support.http_server import RunningServer, serving
from tests.support.postgres_standby import Pair, pair
from tests.system.faults.test_database_outage import until_ready

NAMES = "{ employers(first: 100) { nodes { id name } } }"
CREATE = "mutation($input: EmployerInput!) { employerCreate(input: $input) { employer { id } errors { message } } }"


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with pair() as made:
        database = Database(made.url)
        await migrate(database)
        await build_demo(database, open_store(tmp_path_factory.mktemp("demo") / "files"))
        await database.close()
        await made.catch_up()
        yield made


@pytest.fixture
async def servers(both: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[RunningServer]]:
    """Two servers over the pair, which poll the position of the standby ten times a second."""
    monkeypatch.setattr(replica, "POLL_SECONDS", 0.1)
    # Both run in one process with one clock: the margin covers only the length of a transaction.
    monkeypatch.setattr(replica, "MARGIN", dt.timedelta(seconds=0.5))
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(serving(both.url, tmp_path, WAYMARK_READ_DATABASE_URL=both.standby_url))
            for _ in range(2)
        ]
    await both.catch_up()


async def names(person: HttpClient) -> set[str]:
    return {employer["name"] for employer in (await person.data(NAMES))["employers"]["nodes"]}


async def create(person: HttpClient, name: str) -> None:
    made = (await person.data(CREATE, input={"name": name}))["employerCreate"]
    assert made["errors"] == []


async def until_read_from_the_replica(server: RunningServer, person: HttpClient) -> None:
    """Waits until the server reads from the replica for the user: the replica has their last write."""
    database = server.server.services.database
    async with asyncio.timeout(30):
        while True:
            if await reads_replica(database, lambda: names(person)):
                return
            await asyncio.sleep(0.1)


async def reads_replica(database: Database, work) -> bool:
    """Returns whether `work` reads from the replica."""
    fetch, seen = database.replica.pool.fetch, []

    async def recorded(sql, arguments):
        if "employer" in sql:
            seen.append(sql)
        return await fetch(sql, arguments)

    database.replica.pool.fetch = recorded
    try:
        await work()
    finally:
        database.replica.pool.fetch = fetch
    return bool(seen)


async def test_users_read_their_own_writes_while_the_replica_lags(both: Pair, servers: list[RunningServer]):
    here, there = servers
    async with here.signed_in("master.admin") as writer, here.signed_in("basic.admin") as other:
        await until_read_from_the_replica(here, writer)
        await until_read_from_the_replica(here, other)
        await both.hold()
        await create(writer, "Cromford Cycles")
        assert "Cromford Cycles" in await names(writer)
        # Also in the other process, which did not run the write.
        async with there.anonymous() as same:
            same.use(writer.tokens)
            assert "Cromford Cycles" in await names(same)
        # A user without writes reads from the replica, which does not have the row yet: the replica is in use.
        assert "Cromford Cycles" not in await names(other)
        await both.catch_up()
        await until_read_from_the_replica(here, writer)
        assert "Cromford Cycles" in await names(writer) & await names(other)


async def test_a_replica_that_lags_too_much_is_not_used(
    both: Pair, servers: list[RunningServer], monkeypatch: pytest.MonkeyPatch
):
    here, _ = servers
    async with here.signed_in("master.admin") as writer, here.signed_in("basic.admin") as other:
        await until_read_from_the_replica(here, other)
        await both.hold()
        await create(writer, "Matlock Motors")
        assert "Matlock Motors" not in await names(other)
        monkeypatch.setattr(replica, "MAX_LAG", dt.timedelta(seconds=0.3))
        async with asyncio.timeout(10):
            while "Matlock Motors" not in await names(other):
                await asyncio.sleep(0.1)
        await both.catch_up()


async def test_reads_continue_while_the_replica_is_stopped(both: Pair, servers: list[RunningServer]):
    here, _ = servers
    async with here.signed_in("basic.admin") as person:
        await until_read_from_the_replica(here, person)
        both.stop("standby")
        assert await names(person) == await names(person) != set()
        both.start("standby")
        await until_read_from_the_replica(here, person)


async def until_answered(person: HttpClient) -> None:
    """Waits until reads are answered again, which they are from the first poll after the primary has gone."""
    async with asyncio.timeout(5):
        while (await person.post(NAMES)).status_code == 503:
            await asyncio.sleep(0.1)


@pytest.mark.long
async def test_reads_continue_while_the_primary_is_stopped(both: Pair, servers: list[RunningServer]):
    here, there = servers
    async with here.signed_in("basic.admin") as person:
        await until_read_from_the_replica(here, person)
        everything = await names(person)
        both.stop("primary")
        try:
            for server in (here, there):
                async with server.anonymous() as same:
                    same.use(person.tokens)
                    await until_answered(same)
                    assert await names(same) == everything
                    refused = await same.post(CREATE, input={"name": "Never Ltd"})
                    assert refused.status_code == 503 and "retry-after" in refused.headers
                    # A replica that was not reachable for a moment is read again.
                    server.server.services.database.replica.mark_unreachable(None)
                    await until_answered(same)
                    assert await names(same) == everything
                    assert (await same.http.get("/ready")).status_code == 503
        finally:
            both.start("primary")
        await until_ready(person)
        await create(person, "Wirksworth Wheels")
        assert await names(person) == everything | {"Wirksworth Wheels"}


@pytest.mark.long
async def test_a_write_that_the_replica_may_lack_is_not_hidden_while_the_primary_is_stopped(
    both: Pair, servers: list[RunningServer]
):
    """An older state would show the user's own change undone: the answer is 503 until the primary is back."""
    here, _ = servers
    async with here.signed_in("basic.admin") as person:
        await until_read_from_the_replica(here, person)
        await both.hold()
        await create(person, "Bonsall Bikes")
        both.stop("primary")
        try:
            for _ in range(15):
                assert (await person.post(NAMES)).status_code == 503
                await asyncio.sleep(0.1)
            await both.resume()
            await until_answered(person)
            assert "Bonsall Bikes" in await names(person)
        finally:
            both.start("primary")
        await until_ready(person)
        await until_read_from_the_replica(here, person)
        assert "Bonsall Bikes" in await names(person)


async def test_the_doctor_examines_the_replica(both: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection_checks, "_ATTEMPTS", 5)
    database = Database(both.url)
    try:
        assert (await connection_checks._replica(database, both.standby_url)).status is Status.OK
        await both.hold()
        async with database.writing() as session:
            await session.execute(text("SET LOCAL synchronous_commit = on"))
            await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
        found = await connection_checks._replica(database, both.standby_url)
        assert found.status is Status.WARNING and "does not follow" in found.message
    finally:
        await both.catch_up()
        await database.close()
    standby = Database(both.standby_url)
    assert (await connection_checks._writes(standby)).status is Status.PROBLEM
    await standby.close()
