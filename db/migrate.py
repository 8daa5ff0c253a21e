"""Brings a database to the newest tables: Alembic, on the same engine that serves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from db.database import Database


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def _on(database: Database, work: Callable[[Connection], Any]) -> Any:
    async with database.writing() as session:
        return await (await session.connection()).run_sync(work)


async def migrate(database: Database) -> None:
    """Runs every migration that is missing, in one transaction: all of them or none."""
    await _on(database, lambda connection: command.upgrade(_config(connection), "head"))


async def missing_migrations(database: Database) -> bool:
    """Whether the tables are older than this code."""
    async with database.reading(primary=True) as connection:
        current = await connection.run_sync(lambda one: MigrationContext.configure(one).get_current_revision())
    return current != ScriptDirectory.from_config(_config()).get_current_head()


async def write_migration(database: Database, message: str) -> None:
    """Writes a migration for what the tables have and the database has not (for developers)."""
    await _on(database, lambda connection: command.revision(_config(connection), message, autogenerate=True))
