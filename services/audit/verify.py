"""Everything that `server.py verify` checks, one after another, on one moment of the database."""

from collections.abc import AsyncIterator

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.provider import Provider
from services.audit.chain import audit_chain_problems
from services.audit.file_check import corrupt_files
from services.audit.progress_check import progress_mismatches
from services.audit.signature_check import signature_problems
from services.storage.file_store import FileStore


async def faults(database: Database, store: FileStore) -> AsyncIterator[str]:
    """A sentence for each thing that is not as it was written; nothing where all is whole. The server may run on.

    In turn: the SQLite file itself, the audit trail, the progress sums, the signatures, the stored files. Raises
    StoreUnavailable.
    """
    async with database.snapshot() as session:
        if database.is_sqlite:
            for sentence in await _broken_pages(session):
                yield sentence
        async for sentence in problems_in(session, store):
            yield sentence


async def problems_in(session: AsyncSession, store: FileStore) -> AsyncIterator[str]:
    """What of `faults` a transaction sees, its own changes included."""
    async for sentence in audit_chain_problems(session):
        yield sentence
    for sentence in await progress_mismatches(session):
        yield sentence
    async for sentence in signature_problems(session):
        yield sentence
    async for sentence in corrupt_files(session, store):
        yield sentence


async def audit_chain_heads(session: AsyncSession) -> list[dict[str, object]]:
    """Where each provider's audit trail ends: `provider` (key), `line` and `hash`.

    Noted down where nobody who reaches the database can change it, it shows later that the trail's end was not cut off.
    """
    ends = select(Provider.id, Provider.audit_sequence, Provider.audit_hash).order_by(Provider.id)
    return [{"provider": key, "line": line, "hash": hash_} for key, line, hash_ in await session.execute(ends)]


async def _broken_pages(session: AsyncSession) -> list[str]:
    found = [row[0] for row in await session.execute(text("PRAGMA integrity_check(100)"))]
    broken = [f"the database file: {sentence}" for sentence in found if sentence != "ok"]
    orphans = await session.execute(text("PRAGMA foreign_key_check"))
    return broken + [f"{row[0]}, row {row[1]}: what it refers to in {row[2]} is not there" for row in orphans]
