"""Partitions the tables of a PostgreSQL database by provider, as an installation with many learners may do."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.provider_keys import PROVIDER, stored_key
from db.models.registry import metadata

_REFERENCES = """
    SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS sql
    FROM pg_constraint WHERE contype = 'f'
"""


async def partition(database: Database, partitions: int = 4) -> list[str]:
    """Partitions each table whose key has the provider, by its hash. Returns the names of the tables."""
    tables = [table for table in metadata.tables.values() if PROVIDER in stored_key(table, "postgresql")]
    async with database.writing() as session:
        references = (await session.execute(text(_REFERENCES))).all()
        for each in references:
            await session.execute(text(f"ALTER TABLE {each.table} DROP CONSTRAINT {each.name}"))
        for table in tables:
            await _partition(session, table.name, partitions)
        for each in references:
            await session.execute(text(f"ALTER TABLE {each.table} ADD CONSTRAINT {each.name} {each.sql}"))
    async with database.writing() as session:
        await session.execute(text("ANALYZE"))
    return [table.name for table in tables]


async def _partition(session: AsyncSession, name: str, partitions: int) -> None:
    sequence = await session.scalar(
        text(
            "SELECT pg_get_serial_sequence(:name, 'id') FROM pg_attribute "
            "WHERE attrelid = CAST(:name AS regclass) AND attname = 'id'"
        ),
        {"name": name},
    )
    if sequence:
        await session.execute(text(f"ALTER SEQUENCE {sequence} OWNED BY NONE"))
    await session.execute(text(f"CREATE TABLE {name}_whole (LIKE {name} INCLUDING ALL) PARTITION BY HASH ({PROVIDER})"))
    for number in range(partitions):
        values = f"WITH (MODULUS {partitions}, REMAINDER {number})"
        await session.execute(text(f"CREATE TABLE {name}_{number} PARTITION OF {name}_whole FOR VALUES {values}"))
    await session.execute(text(f"INSERT INTO {name}_whole SELECT * FROM {name}"))
    await session.execute(text(f"DROP TABLE {name}"))
    await session.execute(text(f"ALTER TABLE {name}_whole RENAME TO {name}"))
    key = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) AND contype = 'p'"
    constraint = await session.scalar(text(key), {"name": name})
    await session.execute(text(f"ALTER TABLE {name} RENAME CONSTRAINT {constraint} TO pk_{name}"))
    if sequence:
        await session.execute(text(f"ALTER SEQUENCE {sequence} OWNED BY {name}.id"))
