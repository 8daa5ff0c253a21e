"""Checks whether the database can serve requests: reads, writes, and tables of this version."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.outages import CommitOutcomeUnknown, cause_of
from db.table_version import table_problem

_ACCEPTS_WRITES = text("select not pg_is_in_recovery() and current_setting('default_transaction_read_only') = 'off'")


async def problem_of(database: Database, seconds: float) -> tuple[str, str] | None:
    """Returns what is wrong with the database, for the answer and (with the cause) for the log; None if it is ready.

    Sends one statement on each connection pool for requests and one for the version of the tables. A database that
    does not answer within `seconds` is not ready.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _problem_of(database)
    except TimeoutError:
        counts = database.pool_counts()
        if all(counts[name].in_use < counts[name].limit for name in ("reads", "writes")):
            # The wait was for an answer and not for a connection: the idle connections may be as silent.
            database.expire_connections()
        return "the database does not answer", f"no answer within {seconds:g} seconds"
    except (SQLAlchemyError, OSError, CommitOutcomeUnknown) as error:
        return "the database does not answer", cause_of(error)


async def _problem_of(database: Database) -> tuple[str, str] | None:
    if not await _accepts_writes(database):
        return "the database accepts no writes", "it is a standby, or read-only"
    if (problem := await table_problem(database)) is not None:
        return problem, "the tables are of another version"
    return None


async def _accepts_writes(database: Database) -> bool:
    if database.is_sqlite:
        await database.read_state("select 1")
        file = make_url(database.url).database or ""
        return os.access(file, os.W_OK) and os.access(os.path.dirname(file), os.W_OK)
    [[accepts]] = await database.read_state(str(_ACCEPTS_WRITES))
    async with database.writing() as session:
        return accepts and bool(await session.scalar(_ACCEPTS_WRITES))
