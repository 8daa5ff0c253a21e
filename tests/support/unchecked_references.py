"""A transaction in which foreign keys are not checked, for rows that a database of today refuses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database


@asynccontextmanager
async def unchecked_references(database: Database) -> AsyncIterator[AsyncSession]:
    """Yields a session in one transaction, committed at the end, as somebody with access to the tables can have it."""
    async with database.writing() as session:
        if database.is_sqlite:
            await _switch(session, "OFF")
        else:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session
    if database.is_sqlite:
        # The pool's connection is used again.
        async with database.writing() as session:
            await _switch(session, "ON")


async def _switch(session: AsyncSession, value: str) -> None:
    connection = await session.connection()
    # The setting has no effect within a transaction.
    await connection.exec_driver_sql("COMMIT")
    await connection.exec_driver_sql(f"PRAGMA foreign_keys={value}")
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
