"""The rows of a database as plain dictionaries: read from one, reduced, and written to another."""

from typing import Any

from sqlalchemy import insert, select, text

from db import updated_at_triggers
from db.database import Database
from db.models.registry import entities, mapped_classes, metadata
from tests.support.unchecked_references import unchecked_references

# By table name, each row a dictionary by column name.
Rows = dict[str, list[dict[str, Any]]]

# Without authentication sessions, tokens and outgoing mail, which are part of no portfolio.
TABLES = [entity.__table__ for entity in mapped_classes() if not entity.__internal__]
# GraphQL type -> the table of its keys.
TABLE_OF = {entity.type_name(): entity.__tablename__ for entity in entities()}


async def read_rows(database: Database) -> Rows:
    """Returns every row, in the order of its key."""
    rows: Rows = {}
    async with database.reading(primary=True) as connection:
        for table in TABLES:
            found = await connection.execute(select(table).order_by(*table.primary_key))
            rows[table.name] = [dict(row._mapping) for row in found]
    return rows


async def digest(database: Database) -> str | None:
    """Returns what differs if a row of PostgreSQL differs, in a tenth of the time of `read_rows`; None on SQLite."""
    if database.is_sqlite:
        return None
    rows = " || ".join(
        f"(SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM \"{table.name}\" t)"
        for table in TABLES
    )
    async with database.reading(primary=True) as connection:
        found: str = await connection.scalar(text(f"SELECT {rows}"))
    return found


async def replace_rows(database: Database, rows: Rows) -> None:
    """Replaces all rows by these, which may refer to rows of another provider, their times of the last change too."""
    async with unchecked_references(database) as session:
        if database.is_sqlite:
            # The triggers would note that the records changed now, and that those of before were deleted. PostgreSQL
            # runs none while it checks no references.
            await (await session.connection()).run_sync(updated_at_triggers.remove)
        await empty(database, session)
        for table in TABLES:
            if rows.get(table.name):
                await session.execute(insert(table), rows[table.name])


async def empty(database: Database, session: Any) -> None:
    """Deletes every row."""
    if database.is_sqlite:
        # Tables may refer to each other in a cycle: checked at the commit.
        await session.execute(text("PRAGMA defer_foreign_keys=ON"))
        for table in reversed(metadata.sorted_tables):
            await session.execute(table.delete())
    else:
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        await session.execute(text(f"TRUNCATE {names}"))


async def continue_numbers(database: Database) -> None:
    """Sets the sequences of PostgreSQL to the largest keys after rows with keys were inserted; SQLite needs nothing."""
    if database.is_sqlite:
        return
    async with database.writing() as session:
        for table in metadata.sorted_tables:
            if "id" in table.columns:
                last = f"(SELECT coalesce(max(id), 1) FROM {table.name})"
                await session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))
