"""Checks of what the server needs: the database, the file store, the mail server."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import aiosmtplib
from sqlalchemy import make_url, text

from db.database import Database
from db.postgres_connection import ConnectionOptions, Pooler
from db.table_version import migrations, table_version
from domain import clock
from services.doctor.connection_checks import check_connections
from services.doctor.finding import Finding, ok, problem, warning
from services.mail.transport import SmtpServer, open_transport
from services.settings import Settings
from services.storage.file_store import StoreFull, StoreUnavailable, open_store

_WAIT_SECONDS = 10.0
# Longer than the waits of five seconds for other connections together.
_CONNECTIONS_WAIT_SECONDS = 30.0
_LEAST_POSTGRESQL = 14
_MOST_CLOCK_DIFFERENCE_SECONDS = 2.0
# Setting of PostgreSQL -> the value that loses nothing.
_POSTGRESQL_SETTINGS = {"fsync": {"on"}, "full_page_writes": {"on"}, "server_encoding": {"UTF8"}}
_POSTGRESQL_SETTINGS |= {"synchronous_commit": {"on", "remote_write", "remote_apply", "local"}}
# One connection that is notified of changes, beside reads and writes.
_FURTHER_CONNECTIONS = 1


async def check_services(settings: Settings) -> AsyncIterator[Finding]:
    """Yields the findings about the database, the file store and the mail server."""
    database = Database(settings.database_url, pool_size=1, options=ConnectionOptions(None, Pooler(settings.pooler)))
    found: list[Finding] = []
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            found += await _database(database, settings)
        if not database.is_sqlite:
            async with asyncio.timeout(_CONNECTIONS_WAIT_SECONDS):
                found += await check_connections(database, settings)
    except Exception as error:
        why = f"The database does not answer ({type(error).__name__}): check WAYMARK_DATABASE_URL."
        found.append(problem("database", why))
    finally:
        await database.close()
    for finding in found:
        yield finding
    yield await _store(settings)
    yield await _mail(settings)


def _has_database(settings: Settings) -> bool:
    # Reading the tables must not create an SQLite file that does not exist.
    url = make_url(settings.database_url)
    return url.get_backend_name() != "sqlite" or os.path.exists(url.database or "")


async def _database(database: Database, settings: Settings) -> list[Finding]:
    if not _has_database(settings):
        return [problem("tables", "The SQLite file does not exist: run `server.py migrate`.")]
    version = await table_version(database)
    wrong = migrations().problem(version)
    findings = [problem("tables", wrong) if wrong else ok("tables", "This version can serve the tables.")]
    if migrations().is_to_contract(version):
        findings.append(warning("tables", "A release is not finished: run `server.py migrate --contract`."))
    async with database.reading(primary=True) as connection:
        if database.is_sqlite:
            mode = await connection.scalar(text("PRAGMA journal_mode"))
            wal = ok("database", "SQLite has a write-ahead log.")
            return [*findings, wal if mode == "wal" else problem("database", "SQLite has no write-ahead log here.")]
        before = clock.now()
        names = "server_version_num, fsync, full_page_writes, synchronous_commit, server_encoding, max_connections"
        selected = ", ".join(f"current_setting('{name}') AS {name}" for name in names.split(", "))
        row = (await connection.execute(text(f"SELECT {selected}, clock_timestamp() AS now"))).one()._asdict()
    difference = abs((row["now"] - before).total_seconds())
    return [*findings, *_postgresql(row, settings), _clock(difference)]


def _postgresql(row: dict[str, Any], settings: Settings) -> list[Finding]:
    major = int(row["server_version_num"]) // 10000
    findings = [ok("database", f"PostgreSQL {major} answers.")]
    if major < _LEAST_POSTGRESQL:
        findings = [problem("database", f"PostgreSQL {major} is too old: Waymark needs {_LEAST_POSTGRESQL} or newer.")]
    for name, good in _POSTGRESQL_SETTINGS.items():
        if row[name] not in good:
            findings.append(
                problem("database", f"PostgreSQL's setting {name} is {row[name]}: set {'/'.join(sorted(good))}.")
            )
    needed = 3 * settings.pool_size + _FURTHER_CONNECTIONS
    if int(row["max_connections"]) < needed:
        findings.append(warning(
            "connections",
            f"A process may open {needed} connections, and PostgreSQL allows {row['max_connections']} in all: lower "
            "WAYMARK_POOL_SIZE, or raise max_connections.",
        ))  # fmt: skip
    return findings


def _clock(difference: float) -> Finding:
    if difference > _MOST_CLOCK_DIFFERENCE_SECONDS:
        return problem(
            "clock", f"The clocks of this machine and of PostgreSQL differ by {difference:.0f} s: run NTP on both."
        )
    return ok("clock", "The clocks of this machine and of PostgreSQL agree.")


async def _store(settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            store = open_store(settings.files_location)
            stored = await store.write(_one_chunk(b"doctor"), limit=100)
            read = b"".join([chunk async for chunk in store.read(stored.storage_key)])
            await store.delete(stored.storage_key)
    except (OSError, ValueError, StoreFull, StoreUnavailable, FileNotFoundError) as error:
        return problem("store", f"The file store cannot be used ({type(error).__name__}): check WAYMARK_FILES_URL.")
    return (
        ok("store", "A file was stored, read and deleted.")
        if read == b"doctor"
        else problem("store", "A stored file differs.")
    )


async def _one_chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return warning("mail", "E-mails are written to a folder and not sent: set WAYMARK_SMTP_URL.")
    try:
        transport = open_transport(settings.smtp_url, settings.mail_folder, settings.mail_from)
    except ValueError as error:
        return problem("mail", f"{error} Set WAYMARK_SMTP_URL and WAYMARK_MAIL_FROM.")
    assert isinstance(transport, SmtpServer)
    client = aiosmtplib.SMTP(
        hostname=transport.host, port=transport.port, use_tls=transport.tls, start_tls=transport.starttls,
        username=transport.username, password=transport.password, timeout=_WAIT_SECONDS,
    )  # fmt: skip
    try:
        async with client:
            await client.noop()
    except (OSError, aiosmtplib.SMTPException) as error:
        return problem("mail", f"The mail server cannot be used ({type(error).__name__}): check WAYMARK_SMTP_URL.")
    return ok("mail", "The mail server accepts connections.")
