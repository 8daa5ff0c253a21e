"""Fills of migrations: resumed where they stopped, waiting for locked rows, and repeated when the tables contract."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text

import db.migration_batches
import db.migration_locks
from db.database import Database
from db.migrate import contract, expand
from db.migration_batches import write_texts
from db.migration_locks import MigrationBlocked
from db.models.employer import Employer
from db.table_version import Migrations, TableVersion, migrations, table_version
from tests.support.factories import Factory
from tests.support.future_migrations import with_migrations

# Adds a column, and fills it with the name in capital letters; `stops_at` is the key at which the fill fails.
ADDS_SHOUT = {
    "about": "Adds the name in capital letters",
    "declared": """
from db.migration_batches import Fill

written, stops_at = [], None


def _fill(connection, first, last):
    written.append((first, last))
    if stops_at is not None and stops_at <= last:
        raise RuntimeError("stopped")
    connection.execute(
        sa.text("UPDATE employer SET shout = upper(name) WHERE id BETWEEN :first AND :last AND shout IS NULL"),
        {"first": first, "last": last},
    )


fills = (Fill("employer.shout", "employer", _fill),)
""",
    "upgrade": 'op.add_column("employer", sa.Column("shout", sa.Text(), nullable=True))',
}
HEAD = migrations().head


async def add_employers(database: Database, *names: str) -> list[int]:
    """Adds employers of one provider; returns their keys."""
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider("Brightpath")
        return [(await factory.employer(provider, name)).id for name in names]


async def add_column(database: Database, later: Migrations) -> None:
    """Runs the `upgrade` alone: the fill fails at its first row."""
    module: Any = later.scripts[-1].module
    module.stops_at = 1
    with pytest.raises(RuntimeError, match="stopped"):
        await expand(database, found=later)
    module.stops_at = None
    module.written.clear()


async def shouts(database: Database) -> dict[str, str | None]:
    rows = await database.rows(text("SELECT name, shout FROM employer ORDER BY id").columns(name=Employer.name.type))
    return {row[0]: row[1] for row in rows}


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrations:
    """All migrations and the one that fills, in batches of two rows."""
    monkeypatch.setattr(db.migration_batches, "FIRST_SIZE", 2)
    monkeypatch.setattr(db.migration_batches, "SMALLEST_SIZE", 1)
    monkeypatch.setattr(db.migration_batches, "LARGEST_SIZE", 2)
    # However slow the machine is.
    monkeypatch.setattr(db.migration_batches, "BATCH_SECONDS", 3600)
    monkeypatch.setattr(db.migration_locks, "LOCK_PAUSE_SECONDS", 0.1)
    return with_migrations(tmp_path, ADDS_SHOUT)


def step(later: Migrations) -> str:
    return f"{later.head} employer.shout"


async def test_a_fill_that_was_stopped_continues(database: Database, later: Migrations):
    keys = await add_employers(database, "A", "B", "C", "D", "E")
    module: Any = later.scripts[-1].module
    module.stops_at = keys[3]
    with pytest.raises(RuntimeError, match="stopped"):
        await expand(database, found=later)
    # The batch that failed wrote nothing; the one before it stays. Older processes are served, newer ones not yet.
    assert await table_version(database) == TableVersion(HEAD, later.head, {step(later): keys[1]})
    assert migrations().problem(await table_version(database)) is None
    assert "older" in later.problem(await table_version(database))
    module.stops_at = None
    module.written.clear()
    await expand(database, found=later)
    assert module.written == [(keys[2], keys[3]), (keys[4], keys[4])]
    assert await shouts(database) == {name: name for name in "ABCDE"}
    assert later.problem(await table_version(database)) is None


async def test_rows_of_the_last_version_are_filled_when_the_tables_contract(database: Database, later: Migrations):
    await add_employers(database, "first")
    await expand(database, found=later)
    version = await table_version(database)
    assert version.fills == {step(later): None} and later.to_fill(version) == [] and later.is_to_contract(version)
    # An older process does not know the column; a newer one has written it in its own way.
    async with database.writing() as session:
        for name, shout in (("second", None), ("third", "NEWER")):
            await session.execute(
                text(
                    "INSERT INTO employer (provider_id, name, sort_name, created_at, shout) "
                    "SELECT provider_id, :name, :name, created_at, :shout FROM employer WHERE name = 'first'"
                ),
                {"name": name, "shout": shout},
            )
    assert (await shouts(database))["second"] is None
    await contract(database, found=later)
    assert await shouts(database) == {"first": "FIRST", "second": "SECOND", "third": "NEWER"}
    version = await table_version(database)
    assert version.fills == {} and not later.is_to_contract(version)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_locked_row_is_waited_for(database: Database, own_database_url: str, later: Migrations):
    keys = await add_employers(database, "A", "B", "C")
    other, lines = Database(own_database_url), list[str]()
    await add_column(database, later)
    async with other.writing() as session:
        await session.execute(text("SELECT id FROM employer WHERE id = :key FOR UPDATE"), {"key": keys[2]})
        filling = asyncio.create_task(expand(database, lines.append, later))
        async with asyncio.timeout(30):
            while f"{step(later)}: waits for a lock that a request or a maintenance command holds" not in lines:
                await asyncio.sleep(0.02)
        # Meanwhile others read every row, and write those that are not of the batch.
        assert len(await other.rows(select(Employer.id))) == 3
        async with database.writing() as writing:
            await writing.execute(text("SET LOCAL lock_timeout = 1000"))
            await writing.execute(text("UPDATE employer SET name = 'Z' WHERE id = :key"), {"key": keys[0]})
        assert not filling.done()
        assert await shouts(database) == {"Z": "A", "B": "B", "C": None}
    await filling
    assert (await shouts(database))["C"] == "C"
    await other.close()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_row_that_stays_locked_is_reported(
    database: Database, own_database_url: str, later: Migrations, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(db.migration_locks, "LOCK_ATTEMPTS", 2)
    keys = await add_employers(database, "A", "B", "C")
    other = Database(own_database_url)
    await add_column(database, later)
    async with other.writing() as session:
        await session.execute(text("SELECT id FROM employer WHERE id = :key FOR UPDATE"), {"key": keys[2]})
        with pytest.raises(MigrationBlocked, match="employer.shout did not get a lock"):
            await expand(database, found=later)
    assert (await table_version(database)).fills == {step(later): keys[1]}
    await expand(database, found=later)
    assert await shouts(database) == {name: name for name in "ABC"}
    await other.close()


async def test_batches_grow_and_shrink_with_their_time(
    database: Database, later: Migrations, monkeypatch: pytest.MonkeyPatch
):
    await add_employers(database, *map(str, range(12)))
    monkeypatch.setattr(db.migration_batches, "LARGEST_SIZE", 4)
    module: Any = later.scripts[-1].module
    monkeypatch.setattr(db.migration_batches, "BATCH_SECONDS", 3600)
    await expand(database, found=later)
    assert [last - first + 1 for first, last in module.written] == [2, 4, 4, 2]
    module.written.clear()
    monkeypatch.setattr(db.migration_batches, "BATCH_SECONDS", 0)
    await contract(database, found=later)
    assert [last - first + 1 for first, last in module.written] == [2, *[1] * 10]
    assert await shouts(database) == {str(number): str(number) for number in range(12)}


async def test_texts_of_many_rows_are_written_at_once(database: Database, backend: str, later: Migrations):
    first, second, _ = await add_employers(database, "A", "B", "C")
    await expand(database, found=later)
    sent: list[tuple[str, bool]] = []

    def write(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", lambda *call: sent.append((call[2], call[5])))
        write_texts(connection, "employer", "shout", {first: 'it\'s\n"LOUD" ж', second: None})
        write_texts(connection, "employer", "shout", {})

    async with database.writing() as session:
        await (await session.connection()).run_sync(write)
    assert await shouts(database) == {"A": 'it\'s\n"LOUD" ж', "B": None, "C": "C"}
    # PostgreSQL would take longer to start a statement for each row than to run it.
    [(statement, is_for_each)] = sent
    assert statement.startswith("UPDATE employer") and is_for_each is (backend == "sqlite")
