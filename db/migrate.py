"""Creates and upgrades the tables with Alembic, over the same engine that serves requests."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from db.database import Database


async def migrate(database: Database) -> None:
    """Runs all pending migrations in one transaction."""
    await _in_transaction(database, lambda connection: command.upgrade(_config(connection), "head"))


async def has_pending_migrations(database: Database) -> bool:
    """Returns whether the tables are older than this code."""
    async with database.reading(primary=True) as connection:
        current = await connection.run_sync(lambda each: MigrationContext.configure(each).get_current_revision())
    return current != _head()


@functools.cache
def _head() -> str | None:
    # Reads every migration file: once a process, because /ready asks again and again.
    return ScriptDirectory.from_config(_config()).get_current_head()


async def write_migration(database: Database, message: str) -> None:
    """Writes a migration file with the differences between the mapped classes and the database (for developers)."""
    await _in_transaction(
        database, lambda connection: command.revision(_config(connection), message, autogenerate=True)
    )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def _in_transaction(database: Database, work: Callable[[Connection], Any]) -> None:
    async with database.writing() as session:
        await (await session.connection()).run_sync(work)
