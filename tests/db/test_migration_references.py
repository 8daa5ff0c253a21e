"""References of an SQLite database from 0.1.0: SQLite does not check them while a migration rebuilds tables."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, insert, select, text

import db.migrate
from db.database import Database
from db.migrate import contract, expand
from tests.support.database_keys import any_value
from tests.support.databases import Databases
from tests.support.first_release_rows import first_release


def _fill_empty_tables(connection: Connection) -> None:
    """Adds a row to each empty table, in which every column that can refer to another row does."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            continue
        values: dict[str, Any] = {}
        for column in table.columns:
            if column.foreign_keys:
                [reference] = column.foreign_keys
                values[column.name] = connection.scalar(select(reference.column).limit(1))
                assert values[column.name] is not None or reference.column.table is table, column
            elif not column.nullable and column is not table.autoincrement_column:
                values[column.name] = any_value(column)
        connection.execute(insert(table).values(values))


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_no_migration_breaks_a_reference(
    databases: Databases, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each half of each migration and each fill, of tables that all have rows."""
    url = await databases._create(backend, None)
    database = Database(url)
    await first_release(database)
    async with database.writing() as session:
        await (await session.connection()).run_sync(_fill_empty_tables)
        tables = set(await session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        rows = {name: await session.scalar(text(f'SELECT count(*) FROM "{name}"')) for name in tables}
    assert len(rows) > 30 and all(rows.values())
    broken: dict[str, list[Any]] = {}

    def checked(run: Callable[..., Any]) -> Callable[..., Any]:
        async def run_and_check(database: Database, step: Any, *arguments: Any, **options: Any) -> None:
            await run(database, step, *arguments, **options)
            name = f"{step} {options}" if isinstance(step, str) else f"{step.script.revision} {step.contracts}"
            broken[name] = list(await database.rows(text("PRAGMA foreign_key_check"), primary=True))

        return run_and_check

    monkeypatch.setattr(db.migrate, "_run", checked(db.migrate._run))
    monkeypatch.setattr(db.migrate, "run_fill", checked(db.migrate.run_fill))
    await expand(database)
    await contract(database)
    assert len(broken) > 30
    assert not any(broken.values()), {name: rows for name, rows in broken.items() if rows}
    async with database.reading(primary=True) as connection:
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
    kept = {name: (await database.rows(text(f'SELECT count(*) FROM "{name}"')))[0][0] for name in rows}
    assert {name: kept[name] for name in rows if kept[name] < rows[name]} == {}
    await database.close()
    await databases.drop(url)
