"""Migrations: what is served, how they wait for locks, and that only one process runs them."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

import db.migration_locks
from db.database import Database
from db.migrate import contract, expand, migrate
from db.migration_locks import MigrationBlocked
from db.models.employer import Employer
from db.models.provider import Provider
from db.table_version import TableVersion, migrations, table_problem, table_version
from tests.support.architecture import ROOT
from tests.support.databases import Databases
from tests.support.factories import Factory
from tests.support.future_migrations import with_migrations

ADD = {
    "about": "Adds a motto",
    "upgrade": 'op.add_column("provider", sa.Column("motto", sa.Text(), nullable=True))',
}
REPLACE = {
    "about": "Replaces a phone number",
    "upgrade": 'op.add_column("employer", sa.Column("phone", sa.Text(), nullable=True))',
    # On SQLite this rebuilds a table that others refer to.
    "contract": 'with op.batch_alter_table("employer") as table: table.alter_column("phone", server_default="-")',
}
INDEX = {
    "about": "Adds an index",
    "upgrade": 'op.create_index("ix_future", "employer", ["created_at"], postgresql_concurrently=True)',
    "declared": "in_transaction = False\nrequired = False\n",
}
HEAD = migrations().head


async def columns(database: Database, table: str) -> set[str]:
    async with database.reading() as connection:
        return await connection.run_sync(lambda sync: {each["name"] for each in inspect(sync).get_columns(table)})


async def test_a_new_database_serves_only_the_version_that_made_it(database: Database):
    assert await table_version(database) == TableVersion(HEAD, HEAD)
    assert await table_problem(database) is None


async def test_an_empty_database_has_no_version(databases: Databases, tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    assert await table_version(database) == TableVersion(None, None)
    assert "no tables" in await table_problem(database)
    await database.close()


async def test_tables_of_the_first_release_are_expanded(database: Database, tmp_path: Path):
    async with database.writing() as session:
        # Version 0.1.0 has this table without the column.
        await session.execute(text("ALTER TABLE alembic_version DROP COLUMN expanded"))
    assert await table_version(database) == TableVersion(HEAD, HEAD)
    later = with_migrations(tmp_path, ADD)
    await expand(database, found=later)
    assert await table_version(database) == TableVersion(HEAD, later.head)
    assert "motto" in await columns(database, "provider")


async def test_older_and_newer_versions_are_served_until_the_tables_contract(database: Database, tmp_path: Path):
    now, later = migrations(), with_migrations(tmp_path, ADD, REPLACE)
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider("Brightpath")
        employer = await factory.employer(provider, "Mill")
        await factory.learner(provider, "Ada", employer=employer)
    assert "older" in later.problem(await table_version(database))
    await expand(database, found=later)
    version = await table_version(database)
    assert (now.problem(version), later.problem(version)) == (None, None)
    assert [row.name for row in await database.rows(select(Provider.name))] == ["Brightpath"]
    await contract(database, found=later)
    version = await table_version(database)
    assert version == TableVersion(later.head, later.head)
    assert "newer" in now.problem(version) and later.problem(version) is None
    assert [row.name for row in await database.rows(select(Employer.name))] == ["Mill"]
    assert later.to_contract(version) == [] and later.pending(version) == []


async def test_a_migration_that_only_adds_leaves_the_last_version_served(database: Database, tmp_path: Path):
    later = with_migrations(tmp_path, ADD)
    await expand(database, found=later)
    await contract(database, found=later)
    assert migrations().problem(await table_version(database)) is None


async def test_tables_without_an_index_are_served(database: Database, tmp_path: Path):
    later = with_migrations(tmp_path, INDEX)
    assert later.problem(await table_version(database)) is None
    await expand(database, found=later)
    async with database.reading() as connection:
        indexes = await connection.run_sync(
            lambda sync: {each["name"] for each in inspect(sync).get_indexes("employer")}
        )
    assert "ix_future" in indexes
    assert await table_version(database) == TableVersion(HEAD, later.head)


async def test_a_failed_migration_continues_with_the_next_run(database: Database, tmp_path: Path, backend: str):
    add = 'op.add_column("provider", sa.Column("{}", sa.Text(), nullable=True))'
    both = "; ".join((add.format("motto"), "{}", add.format("crest")))
    failing = {"about": "Fails", "upgrade": both.format('op.execute("select nonsense")')}
    later = with_migrations(tmp_path / "failing", failing)
    with pytest.raises(Exception, match="nonsense"):
        await expand(database, found=later)
    assert await table_version(database) == TableVersion(HEAD, HEAD)
    # SQLite undoes all of it. PostgreSQL keeps what only adds, and the older version does not mind.
    found = await columns(database, "provider")
    assert ("motto" in found, "crest" in found) == (backend == "postgresql", False)
    assert [row.name for row in await database.rows(select(Provider.name))] == []
    # The connection is usable again, and the corrected migration finds the column.
    await migrate(database)
    corrected = with_migrations(tmp_path / "corrected", {"about": "Works", "upgrade": both.format("pass")})
    await expand(database, found=corrected)
    assert {"motto", "crest"} < await columns(database, "provider")
    assert await table_version(database) == TableVersion(HEAD, corrected.head)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_migration_waits_for_a_table_without_holding_another(
    database: Database, own_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise a request that holds the second table and wants the first would wait for it, and it for the request."""
    monkeypatch.setattr(db.migration_locks, "LOCK_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(db.migration_locks, "LOCK_MILLISECONDS", 50)
    add = 'op.add_column("{}", sa.Column("motto", sa.Text(), nullable=True))'
    two = {"about": "Adds two", "upgrade": "; ".join(add.format(table) for table in ("provider", "employer"))}
    later, other = with_migrations(tmp_path, two), Database(own_database_url)
    lines: list[str] = []
    async with other.writing() as session:
        await session.execute(text("SELECT * FROM employer"))
        expanding = asyncio.create_task(expand(database, lines.append, later))
        async with asyncio.timeout(30):
            while not any("waits for a lock" in line for line in lines):
                await asyncio.sleep(0.02)
        for _ in range(10):
            await session.execute(text("SET LOCAL lock_timeout = 20"))
            await session.execute(text("SELECT motto FROM provider"))
            await asyncio.sleep(0.02)
        assert not expanding.done()
    await expanding
    assert "motto" in await columns(database, "employer")
    await other.close()


async def test_two_processes_migrate_once(own_database_url: str, tmp_path: Path):
    later = with_migrations(tmp_path, ADD, REPLACE)
    several = [Database(own_database_url) for _ in range(4)]
    lines: list[str] = []
    try:
        await asyncio.gather(*(expand(each, lines.append, later) for each in several))
        assert await table_version(several[0]) == TableVersion(HEAD, later.head)
    finally:
        for each in several:
            await each.close()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_locked_table_is_waited_for_without_holding_up_requests(
    database: Database, own_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(db.migration_locks, "LOCK_PAUSE_SECONDS", 0.2)
    later, other = with_migrations(tmp_path, ADD), Database(own_database_url)
    lines: list[str] = []
    async with other.writing() as session:
        await session.execute(text("SELECT * FROM provider"))
        expanding = asyncio.create_task(expand(database, lines.append, later))
        async with asyncio.timeout(30):
            while not any("waits for a lock" in line for line in lines):
                await asyncio.sleep(0.05)
        # Another reader is served, though a migration wants the table for itself.
        async with asyncio.timeout(10):
            await other.rows(select(Provider.id))
        assert not expanding.done()
    await expanding
    assert "motto" in await columns(database, "provider")
    await other.close()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_lock_that_never_ends_is_reported(
    database: Database, own_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(db.migration_locks, "LOCK_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(db.migration_locks, "LOCK_ATTEMPTS", 2)
    later, other = with_migrations(tmp_path, ADD), Database(own_database_url)
    async with other.writing() as session:
        await session.execute(text("SELECT * FROM provider"))
        with pytest.raises(MigrationBlocked, match="pg_stat_activity"):
            await expand(database, found=later)
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": db.migration_locks.ADVISORY_KEY})
        with pytest.raises(MigrationBlocked, match="still running"):
            await expand(database, found=later)
    assert await table_version(database) == TableVersion(HEAD, HEAD)
    await other.close()


@pytest.mark.long
def test_a_drafted_migration_has_the_next_number(tmp_path: Path):
    """In a copy of what it reads, with a column and a table more."""
    for name in ("db", "domain", "scripts"):
        # With the times of the files, so that their bytecode is valid.
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "scripts" / "setup").write_text("#!/bin/sh\n")
    learner = tmp_path / "db" / "models" / "learner.py"
    column = "    nickname: Mapped[str | None] = personal(String(40), erased=None)\n"
    learner.write_text(learner.read_text().replace("    uln: ", f"{column}    uln: ", 1))
    unit = tmp_path / "db" / "models" / "aim_unit.py"
    (unit.parent / "aim_tool.py").write_text(
        unit.read_text().replace('"aim_unit"', '"aim_tool"').replace("class AimUnit", "class AimTool")
    )
    command = [tmp_path / "scripts" / "new-migration", "Adds the nickname of a learner."]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    number = f"{int(migrations().head) + 1:04}"
    (draft,) = (tmp_path / "db" / "migrations" / "versions").glob(f"{number}_*.py")
    text = draft.read_text()
    assert text.startswith('"""Adds the nickname of a learner."""') and "# ###" not in text
    # Without the layout, which depends on ruff's settings.
    text = "".join(text.replace("'", '"').split()).replace(",)", ")").replace(",]", "]")
    assert f'down_revision="{migrations().head}"' in text and text.count("add_column") == 1
    assert 'sa.Column("nickname"' in text
    # Its keys have the provider, and nothing else has changed.
    assert '"aim_tool",["aim_id","unit_id"],is_referred_to=False)' in text
    assert 'sa.ForeignKeyConstraint(["aim_id","provider_id"],["aim.id","aim.provider_id"]' in text
    upgrade = text[text.index("defupgrade") : text.index("defdowngrade")]
    assert "drop_" not in upgrade and upgrade.count("create_table") == 1
    # The index by provider comes first: of two that fit equally SQLite uses the one that was made last.
    made = re.findall(r'create_index\(batch_op.f\("(\w+)"', upgrade)
    assert made[0] == "ix_aim_tool_provider_id" and len(made) > 1
