"""All checks of `server.py verify`, on one snapshot of the database."""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from services.audit.chain import audit_chain_problems
from services.audit.file_check import corrupt_files
from services.audit.progress_check import progress_mismatches
from services.audit.signature_check import signature_problems
from services.storage.file_store import FileStore


async def find_problems(database: Database, store: FileStore) -> AsyncIterator[str]:
    """Yields a sentence for each record or file that is not as the server wrote it. The server may run meanwhile.

    Checks the SQLite file, the audit trail, the progress sums, the signatures and the stored files, in that order.
    Raises StoreUnavailable.
    """
    async with database.snapshot() as session:
        if database.is_sqlite:
            for problem in await _sqlite_problems(session):
                yield problem
        async for problem in find_problems_in(session, store):
            yield problem


async def find_problems_in(session: AsyncSession, store: FileStore) -> AsyncIterator[str]:
    """Like `find_problems`, without the SQLite file, in the caller's transaction and with its changes."""
    async for problem in audit_chain_problems(session):
        yield problem
    for problem in await progress_mismatches(session):
        yield problem
    async for problem in signature_problems(session):
        yield problem
    async for problem in corrupt_files(session, store):
        yield problem


async def _sqlite_problems(session: AsyncSession) -> list[str]:
    integrity = await session.execute(text("PRAGMA integrity_check(100)"))
    problems = [f"the database file: {row[0]}" for row in integrity if row[0] != "ok"]
    dangling = await session.execute(text("PRAGMA foreign_key_check"))
    return problems + [f"{row[0]}, row {row[1]}: the row of {row[2]} that it refers to is missing" for row in dangling]
