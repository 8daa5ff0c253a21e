"""Keys are never given twice, whatever was deleted, on both databases, and on one made by an earlier version."""

from pathlib import Path

import pytest
from sqlalchemy import text

from db.database import Database
from db.migrate import expand, migrate
from db.sqlite_autoincrement import numbered_tables
from db.table_version import Migrations
from domain import clock
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def test_a_deleted_time_entry_does_not_give_its_id_to_the_next(empty_portfolio: EmptyPortfolio) -> None:
    """A client that repeats the deletion of an entry must not delete another one."""
    learner = empty_portfolio.client("learner")
    entry = {
        "learnerId": empty_portfolio.ada, "date": clock.today().isoformat(), "minutes": 30,
        "activityType": "COACHING_OR_MENTORING", "comments": "Shadowing",
    }  # fmt: skip
    first = (await learner.mutate("timeLogEntryAdd", input=entry))["id"]
    await learner.payload("timeLogEntryDelete", id=first)
    second = (await learner.mutate("timeLogEntryAdd", input=entry))["id"]
    assert second != first
    assert await learner.user_errors("timeLogEntryDelete", id=first) == {"id": "NOT_FOUND"}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_no_table_of_a_new_database_reuses_keys(database: Database) -> None:
    """Also those that the contraction of a migration has rebuilt."""
    async with database.writing() as session:
        made = await session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        texts = {row.name: row.sql for row in made}
    assert [table.name for table, _ in numbered_tables() if "AUTOINCREMENT" not in texts[table.name]] == []


async def test_a_sqlite_database_of_an_earlier_version_stops_reusing_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    earlier = Migrations()
    earlier.scripts, earlier.revisions = earlier.scripts[:2], earlier.revisions[:2]
    monkeypatch.setattr("db.migrate.never_reuse_keys", lambda connection: None)
    await expand(database, found=earlier)
    monkeypatch.undo()
    async with database.writing() as session:
        for statement in (
            "INSERT INTO provider VALUES (1, 'P', NULL, '2026-01-01', 10, 0, 12, '[]', NULL, 0, NULL, 1, 0, '')",
            "INSERT INTO employer (id, provider_id, name, sort_name, created_at) VALUES "
            "(1, 1, 'A', 'a', '2026-01-01'), (2, 1, 'B', 'b', '2026-01-01')",
            # Employer 7 was deleted since.
            "INSERT INTO audit_event (id, provider_id, sequence, at, action, subject_type, subject_key, detail, "
            "previous_hash, hash) VALUES (1, 1, 1, '2026-01-01', 'x', 'Employer', 7, '{}', '', '')",
        ):
            await session.execute(text(statement))
    await migrate(database)
    await migrate(database)
    async with database.writing() as session:
        add = text("INSERT INTO employer (provider_id, name, sort_name, created_at) VALUES (1, 'C', 'c', '2026-01-01')")
        await session.execute(add)
        assert (await session.execute(text("SELECT max(id) FROM employer"))).scalar() == 8
        await session.execute(text("DELETE FROM employer WHERE id = 8"))
        await session.execute(add)
        assert list(await session.scalars(text("SELECT id FROM employer ORDER BY id"))) == [1, 2, 9]
        assert (await session.execute(text("PRAGMA integrity_check"))).scalar() == "ok"
        assert (await session.execute(text("PRAGMA foreign_key_check"))).all() == []
        for table, _ in numbered_tables():
            sql = await session.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table.name})
            assert "id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL" in sql, table.name
    await database.close()
