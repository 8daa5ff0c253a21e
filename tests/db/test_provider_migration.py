"""The migration that puts the provider into every key: rows that it refuses, and both versions between its halves."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, insert, text

import db.migration_locks
from db.database import Database
from db.history.daily_rows import record_time
from db.migrate import contract, expand
from db.migration_locks import MigrationBlocked
from db.models.registry import metadata
from db.table_version import Migrations, table_problem, table_version
from tests.support.database_keys import any_value, declared_keys, stored_keys
from tests.support.databases import Databases

# The migration before the one that adds the provider.
BEFORE = "0019"


def _until(revision: str) -> Migrations:
    found = Migrations()
    found.revisions = found.revisions[: found.revisions.index(revision) + 1]
    found.scripts = found.scripts[: len(found.revisions)]
    return found


@pytest.fixture
async def earlier(databases: Databases, backend: str) -> Any:
    """The tables of the version before, without rows."""
    url = await databases._create(backend, None)
    database = Database(url)
    await expand(database, found=_until(BEFORE))
    yield database
    await database.close()
    await databases.drop(url)


def _fill(connection: Connection) -> dict[str, int]:
    """Adds two providers, of which one has a learner at a site of the other. Returns the keys by name."""
    tables = MetaData()
    tables.reflect(connection)
    keys: dict[str, int] = {}

    def add(name: str, table: str, **values: Any) -> None:
        columns = tables.tables[table].columns
        needed = [each for each in columns if not each.nullable and not each.primary_key and each.name not in values]
        values |= {each.name: any_value(each) for each in needed if each.server_default is None}
        keys[name] = connection.execute(insert(tables.tables[table]).values(values)).inserted_primary_key[0]

    for provider, person in (("here", "ada"), ("there", "zoe")):
        add(provider, "provider")
        add(f"{provider} site", "employer", provider_id=keys[provider])
        add(f"{provider} user", "user_account", provider_id=keys[provider])
        of_user = {"provider_id": keys[provider], "user_id": keys[f"{provider} user"]}
        add(person, "learner", **of_user, employer_id=keys["here site"])
    add("closed", "employer", provider_id=keys["here"])
    connection.execute(text("DELETE FROM employer WHERE id = :closed"), keys)
    return keys


@pytest.mark.parametrize(
    "backend", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True, scope="session"
)
async def test_rows_of_an_earlier_version(earlier: Database, backend: str) -> None:
    """A row that refers to another provider's stops the migration; the others get their new keys."""
    async with earlier.writing() as session:
        keys = await (await session.connection()).run_sync(_fill)
    with pytest.raises(MigrationBlocked, match=rf"learner {keys['zoe']} \(employer_id\).*Nothing was changed"):
        await expand(earlier)
    assert (await table_version(earlier)).expanded == BEFORE
    async with earlier.writing() as session:
        await session.execute(text("UPDATE learner SET employer_id = :there WHERE id = :zoe"), {
            "there": keys["there site"], "zoe": keys["zoe"],
        })  # fmt: skip
    await expand(earlier)
    # Between the two halves both versions write.
    async with earlier.writing() as session:
        await record_time(session, [keys["ada"]])
        await session.execute(
            text(
                "INSERT INTO time_history (learner_id, aim_id, day, provider_id, minutes) "
                "SELECT learner_id, aim_id, day, provider_id, 7 FROM time_history WHERE true "
                "ON CONFLICT (learner_id, aim_id, day) DO UPDATE SET minutes = excluded.minutes"
            )
        )
    await contract(earlier)
    async with earlier.writing() as session:
        await record_time(session, [keys["ada"]])
        assert await session.scalar(text("SELECT count(*) FROM time_history")) == 1
        added = text("INSERT INTO employer (provider_id, name, sort_name, created_at) SELECT provider_id, name, "
                     "sort_name, created_at FROM employer WHERE id = :site RETURNING id")  # fmt: skip
        assert await session.scalar(added, {"site": keys["here site"]}) > keys["closed"]
    async with earlier.reading(primary=True) as connection:
        found = await connection.run_sync(stored_keys)
    for name, table in metadata.tables.items():
        assert found[name] == declared_keys(table, backend), name
    assert await table_problem(earlier) is None


@pytest.mark.long
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_each_statement_has_all_attempts_to_get_its_locks(
    earlier: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More tables are held, one after the other, than a statement has attempts."""
    held = ["action", "evidence", "learner", "resource", "session", "user_account"]
    monkeypatch.setattr(db.migration_locks, "LOCK_ATTEMPTS", 4)
    monkeypatch.setattr(db.migration_locks, "LOCK_PAUSE_SECONDS", 0.05)
    await expand(earlier)
    others = {table: Database(earlier.url) for table in held}
    waits = text("SELECT relation::regclass::text FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
    waited: list[str] = []
    async with AsyncExitStack() as stack:
        locks = {}
        for table, other in others.items():
            locks[table] = await stack.enter_async_context(AsyncExitStack())
            session = await locks[table].enter_async_context(other.writing())
            await session.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
        contracting = asyncio.create_task(contract(earlier))
        async with asyncio.timeout(60):
            while locks and not contracting.done():
                for (table,) in await earlier.rows(waits, primary=True):
                    # Held until the statement has given up once.
                    while table in locks and (table,) in await earlier.rows(waits, primary=True):
                        await asyncio.sleep(0.01)
                    if table in locks:
                        waited.append(table)
                        await locks.pop(table).aclose()
                await asyncio.sleep(0.01)
        await contracting
    assert sorted(waited) == held
    assert await table_problem(earlier) is None
    for other in others.values():
        await other.close()
