"""Reads from a replica that is behind: one's own writes are there all the same, through whichever process one asks."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from db import replica
from db.database import Database
from db.migrate import migrate
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.support.client import HttpClient
from tests.support.http_server import RunningServer, serving
from tests.support.postgres_standby import Pair, pair

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
    """Two servers over the pair, which see how far the standby is a few times a second."""
    monkeypatch.setattr(replica, "POLL_SECONDS", 0.1)
    # Both run in one process: there are no two clocks to allow for, only the length of a transaction.
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
    """Until what the person reads there goes to the replica: it has their last write, and the process has seen that."""
    database = server.server.services.database
    async with asyncio.timeout(30):
        while True:
            if await fetched_from(database, lambda: names(person)):
                return
            await asyncio.sleep(0.1)


async def fetched_from(database: Database, work) -> bool:
    """Whether anything that the work reads goes to the replica."""
    fetch, seen = database.replica.pool.fetch, []

    async def noted(sql, arguments):
        if "employer" in sql:
            seen.append(sql)
        return await fetch(sql, arguments)

    database.replica.pool.fetch = noted
    try:
        await work()
    finally:
        database.replica.pool.fetch = fetch
    return bool(seen)


async def test_ones_own_writes_are_read_while_the_replica_is_behind(both: Pair, servers: list[RunningServer]):
    here, there = servers
    async with here.signed_in("master.admin") as writer, here.signed_in("basic.admin") as other:
        await until_read_from_the_replica(here, writer)
        await until_read_from_the_replica(here, other)
        await both.hold()
        await create(writer, "Cromford Cycles")
        assert "Cromford Cycles" in await names(writer)
        # Through the other process too, which did not see the write.
        async with there.anonymous() as same:
            same.use(writer.tokens)
            assert "Cromford Cycles" in await names(same)
        # Who has written nothing is read from the replica, where it is not yet: so the replica was really used.
        assert "Cromford Cycles" not in await names(other)
        await both.catch_up()
        await until_read_from_the_replica(here, writer)
        assert "Cromford Cycles" in await names(writer) & await names(other)


async def test_a_replica_that_falls_far_behind_is_left_alone(
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


async def test_a_replica_that_is_away_costs_nobody_an_answer(both: Pair, servers: list[RunningServer]):
    here, _ = servers
    async with here.signed_in("basic.admin") as person:
        await until_read_from_the_replica(here, person)
        both.stop("standby")
        assert await names(person) == await names(person) != set()
        both.start("standby")
        await until_read_from_the_replica(here, person)
