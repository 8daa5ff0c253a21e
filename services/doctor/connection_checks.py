"""Checks of further connections to PostgreSQL: notifications, the replica, and the limits that a pooler leaves out."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import make_url, text

from db.database import Database
from db.postgres_connection import ConnectionOptions, Pooler, connect
from services.doctor.finding import Finding, ok, problem, warning
from services.settings import Settings

_WAIT_SECONDS = 5.0
# How often the position of a replica is read, for as long as it lacks what the primary has written.
_ATTEMPTS, _PAUSE_SECONDS = 50, 0.1
# Without settings that a pooler in session mode would reject.
_OPTIONS = ConnectionOptions(int(_WAIT_SECONDS), Pooler.SESSION)
_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
# Settings that the server sends with each connection, unless a pooler is in between, and their value without a limit.
_UNLIMITED = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "jit": "on"}
_IDENTIFIER = "SELECT system_identifier FROM pg_control_system()"


async def check_connections(database: Database, settings: Settings) -> list[Finding]:
    """Returns the findings about a PostgreSQL that answers. Raises what a statement on it raises."""
    findings = [await _writes(database), await _notifications(database, settings)]
    if settings.read_database_url is not None:
        findings.append(await _replica(database, settings.read_database_url))
    if settings.pooler != Pooler.NONE.value:
        findings.append(await _pooler(database))
    return findings


async def _writes(database: Database) -> Finding:
    if await _value(database, "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'"):
        return problem("writes", "WAYMARK_DATABASE_URL leads to a standby, or to a database that is read-only.")
    return ok("writes", "The database accepts writes.")


async def _notifications(database: Database, settings: Settings) -> Finding:
    """Sends a notification as a mutation does, and waits for it where the server listens."""
    name, heard = f"waymark_doctor_{secrets.token_hex(8)}", asyncio.Event()
    try:
        async with _connected(settings.listen_url or settings.database_url) as listening:
            await listening.add_listener(name, lambda *_: heard.set())
            await _value(database, f"SELECT pg_notify('{name}', '')")
            async with asyncio.timeout(_WAIT_SECONDS):
                await heard.wait()
    except _ERRORS as error:
        return problem(
            "listen",
            f"No notification of a change arrives ({type(error).__name__}), so streams miss what other processes do: "
            "WAYMARK_LISTEN_URL must lead to the same database as WAYMARK_DATABASE_URL, and to PostgreSQL itself.",
        )
    return ok("listen", "Notifications of changes arrive.")


async def _replica(database: Database, url: str) -> Finding:
    try:
        async with _connected(url) as replica:
            if await replica.fetchval(_IDENTIFIER) != await _value(database, _IDENTIFIER):
                return problem(
                    "replica", "WAYMARK_READ_DATABASE_URL leads to a copy of another database: reads show its records."
                )
            if not await replica.fetchval("SELECT pg_is_in_recovery()"):
                return warning("replica", "WAYMARK_READ_DATABASE_URL leads to the primary: it takes no reads off it.")
            written = await _value(database, "SELECT pg_current_wal_lsn()::text")
            for _ in range(_ATTEMPTS):
                if await replica.fetchval("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written):
                    return ok("replica", "The replica has what the primary has written.")
                await asyncio.sleep(_PAUSE_SECONDS)
            why = "it lags"
    except _ERRORS as error:
        why = type(error).__name__
    return warning(
        "replica",
        f"The replica does not follow the primary ({why}), which answers all reads: check WAYMARK_READ_DATABASE_URL "
        "and the replication.",
    )


async def _pooler(database: Database) -> Finding:
    without = [
        name
        for name, value in _UNLIMITED.items()
        if await _value(database, f"SELECT current_setting('{name}')") == value
    ]
    if without:
        return warning(
            "pooler",
            f"The pooler passes no settings on, and those of the role lack {', '.join(without)}: run the statements of "
            "docs/operations.md (PgBouncer).",
        )
    return ok("pooler", "The role has the settings that the pooler does not pass on.")


async def _value(database: Database, statement: str) -> Any:
    async with database.reading(primary=True) as connection:
        return await connection.scalar(text(statement))


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await connect(_OPTIONS, dsn=dsn)
    try:
        yield connection
    finally:
        connection.terminate()
