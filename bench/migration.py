"""Measures the migration from version 0.1.0 on PostgreSQL: `python -m bench.migration --learners 100000`.

0.1.0 makes up to 10,000 learners with its own `demo`; more are copies of theirs, in providers of their own. Then
`migrate --expand` and `migrate --contract` of this version run without requests, on a server with settings for 8 GB,
and `verify` checks the result. Prints for each the wall time, the time of the processor, the size of the database and
how long a table was closed to writers, with the load of the machine. Fails if a table has another number of rows.
"""

import argparse
import asyncio
import base64
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from bench.measure import database_cpu_milliseconds
from bench.postgres import Postgres
from bench.screens import ROOT
from tests.support.release import released_version

FIRST_RELEASE = "3e51f5d"
# How many learners 0.1.0 makes itself, about 40 a second. A copy of as many takes a minute.
MADE = 10_000
# The distance between the keys of two copies.
_DISTANCE = 100_000_000
# Of a server with 8 GB. Autovacuum and replication are as PostgreSQL has them.
_SERVER = {
    "wal_level": "replica",
    "max_wal_senders": "10",
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "autovacuum": "on",
}
# Modes of locks that keep writers out of a table.
_CLOSED = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_LOCKS = """SELECT pid, relation::regclass::text AS table, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE granted AND locktype = 'relation' AND relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND mode = ANY($1) AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_WRITING = """SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND backend_xid IS NOT NULL
    AND query NOT ILIKE 'analyze%'"""
_TABLES = """SELECT table_name::text FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version' ORDER BY 1"""
# Columns of numbers that are keys or refer to one, and the other columns, in their order.
_COLUMNS = """SELECT column_name::text AS name,
    data_type = 'bigint' AND (column_name = 'id' OR column_name LIKE '%\\_id')
    AS is_key FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1
    AND is_generated = 'NEVER' ORDER BY ordinal_position"""
# The indexes that no constraint needs.
_INDEXES = """SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
    JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"""
# The digest of a unit's signature (domain.confirmation_statements.unit_sha256) has the keys of the criteria.
_DIGESTS = f"""UPDATE unit_signature SET content_sha256 =
    encode(sha256(convert_to(format('[%s,[%s]]', to_json(statement), criteria), 'UTF8')), 'hex')
    FROM (SELECT signature.id AS signature_id, string_agg(
        format('[%s,%s,%s]', criterion.id, coalesce(evidence_count, 0), coalesce(signed_off, false)::text), ','
        ORDER BY criterion.id) AS criteria
        FROM unit_signature signature JOIN qualification_criterion criterion USING (unit_id)
        LEFT JOIN criterion_progress progress
        ON progress.aim_id = signature.aim_id AND progress.criterion_id = criterion.id
        WHERE signature.id > {_DISTANCE} GROUP BY signature.id) AS signed WHERE id = signature_id"""
# What a copy leaves out, because it belongs to a device, a mail or a request.
_NOT_COPIED = ("one_time_token", "refresh_token", "sign_in", "idempotency_key", "outbox_mail", "wrong_guess")


def _log(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {line}", flush=True)


@asynccontextmanager
async def _connected(postgres: Postgres, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database).replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def _prepare(postgres: Postgres, folder: Path, learners: int) -> str:
    """Returns the name of a database of version 0.1.0 with so many learners, which it makes if it is missing."""
    made, database = f"made_{min(learners, MADE)}", f"older_{learners}"
    async with _connected(postgres, "postgres") as server:
        existing = {row[0] for row in await server.fetch("SELECT datname::text FROM pg_database")}
        if made not in existing:
            await server.execute(f"CREATE DATABASE {made}_part")
            with tempfile.TemporaryDirectory(prefix="waymark-0.1.0-") as place:
                older = released_version(Path(place) / "older", FIRST_RELEASE)
                for words in (["migrate"], ["demo", "--learners", str(min(learners, MADE))]):
                    _run(older, postgres, f"{made}_part", folder, *words)
            await server.execute(f"ALTER DATABASE {made}_part RENAME TO {made}")
        await server.execute(f"DROP DATABASE IF EXISTS {database}")
        await server.execute(f"CREATE DATABASE {database} TEMPLATE {made}")
    async with _connected(postgres, database) as connection:
        if learners > MADE:
            await _copy(connection, learners // MADE)
        # A server that has run for a while has seen each row, and has statistics.
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    return database


async def _copy(connection: asyncpg.Connection, times: int) -> None:
    """Adds `times` - 1 copies of all rows, with other keys and other usernames."""
    indexes = await connection.fetch(_INDEXES)
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    # The references of a copy are those of its original. Without this each of them would be looked up.
    await connection.execute("SET session_replication_role = replica")
    for (table,) in await connection.fetch(_TABLES):
        columns = await connection.fetch(_COLUMNS, table)
        names = [column["name"] for column in columns]
        if table in _NOT_COPIED or not any(column["is_key"] for column in columns):
            continue
        key = next(name for name in ("provider_id", "id", "learner_id", *names) if name in names)
        for number in range(1, times):
            values = [
                f"{column['name']} + {number * _DISTANCE}"
                if column["is_key"]
                else (f"username || '.{number}'" if column["name"] == "username" else f'"{column["name"]}"')
                for column in columns
            ]
            quoted = ", ".join(f'"{name}"' for name in names)
            await connection.execute(
                f'INSERT INTO "{table}" ({quoted}) OVERRIDING SYSTEM VALUE SELECT {", ".join(values)} FROM "{table}"'
                f" WHERE {key} < {_DISTANCE}"
            )
        if "id" in names:
            await connection.execute(
                f"""SELECT setval(name, (SELECT max(id) + 1 FROM "{table}"))
                FROM pg_get_serial_sequence('"{table}"', 'id') AS name
                WHERE name IS NOT NULL AND EXISTS (SELECT FROM "{table}")"""
            )
    await connection.execute("RESET session_replication_role")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    _log(f"copied, {await _size(connection)}")
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.execute("ANALYZE")
    await connection.execute(_DIGESTS)


async def _size(connection: asyncpg.Connection) -> str:
    return f"{await connection.fetchval('SELECT pg_database_size(current_database())') / 1e6:,.0f} MB"


async def _sums(connection: asyncpg.Connection) -> dict[str, int]:
    """Returns the number of rows of each table, and the sum of the minutes."""
    tables = [row[0] for row in await connection.fetch(_TABLES)]
    sums = {table: await connection.fetchval(f'SELECT count(*) FROM "{table}"') for table in tables}
    return {**sums, "minutes": await connection.fetchval("SELECT sum(minutes) FROM time_log_entry")}


def _run(root: Path, postgres: Postgres, database: str, folder: Path, *words: str) -> int:
    """Runs a command of a version, prints its lines and what it took, and returns its exit status."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    environment = {
        **inherited,
        "PYTHONPATH": str(root),
        "WAYMARK_DATABASE_URL": postgres.url(database),
        "WAYMARK_DATA": str(folder / "migration-files"),
        "WAYMARK_SECRET_KEYS": "bench:" + base64.b64encode(bytes(range(32))).decode(),
        "WAYMARK_BASE_URL": "http://127.0.0.1:8000",
        "WAYMARK_METRICS": "off",
    }
    before, server_before, started_at = _child_seconds(), database_cpu_milliseconds(postgres), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "server.py", *words], cwd=root, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=None, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    most, server_at = 0, server_before
    for line in process.stdout:
        # Of PostgreSQL's processor since the last line: most lines say that a step has ended.
        server_now = database_cpu_milliseconds(postgres)
        _log(f"{(server_now - server_at) / 1000:6.1f} s  {line.rstrip()}")
        server_at = server_now
        most = max(most, _resident_megabytes(process.pid))
    status = process.wait()
    _log(
        f"{' '.join(words)}: status {status}, {time.monotonic() - started_at:.0f} s;"
        f" processor {_child_seconds() - before:.0f} s, of PostgreSQL"
        f" {(database_cpu_milliseconds(postgres) - server_before) / 1000:.0f} s; memory up to {most} MB"
    )
    return status


def _child_seconds() -> float:
    """Returns the CPU time of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident_megabytes(pid: int) -> int:
    """Returns the most memory that a process has had; 0 if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)


async def _locks(postgres: Postgres, database: str, stop: threading.Event) -> None:
    """Looks twenty times a second until `stop`; prints how long tables were closed, and the longest transaction."""
    since: dict[tuple[int, str, str], float] = {}
    longest: dict[str, float] = {}
    transaction = 0.0
    async with _connected(postgres, database) as connection:
        while not stop.is_set():
            now = time.monotonic()
            held = {(row["pid"], row["table"], row["mode"]) for row in await connection.fetch(_LOCKS, _CLOSED)}
            since = {lock: since.get(lock, now) for lock in held}
            for lock, begun in since.items():
                longest[lock[1]] = max(longest.get(lock[1], 0), now - begun)
            transaction = max(transaction, await connection.fetchval(_WRITING) or 0)
            await asyncio.sleep(0.05)
        tables = sorted(longest, key=lambda table: -longest[table])[:6]
        seconds = ", ".join(f"{table} {longest[table]:.2f} s" for table in tables)
        _log(f"closed to writers: {seconds}; the longest writing transaction {transaction:.1f} s")
        _log(f"size {await _size(connection)}")


def _run_watched(postgres: Postgres, database: str, folder: Path, *words: str) -> int:
    stop = threading.Event()
    watch = threading.Thread(target=lambda: asyncio.run(_locks(postgres, database, stop)))
    watch.start()
    try:
        return _run(ROOT, postgres, database, folder, *words)
    finally:
        stop.set()
        watch.join()


async def _sums_of(postgres: Postgres, database: str) -> dict[str, int]:
    async with _connected(postgres, database) as connection:
        _log(f"size {await _size(connection)}")
        return await _sums(connection)


def main() -> int:
    """Makes the database, migrates it and compares; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.migration", description=__doc__)
    parser.add_argument("--learners", type=int, default=1_000, help="at most 10,000, or a multiple of it (1,000)")
    arguments = parser.parse_args()
    learners = arguments.learners
    if learners < 1 or (learners > MADE and learners % MADE):
        parser.error("--learners is at most 10,000, or a multiple of it")
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    with Postgres(folder / "migration") as postgres:
        database = asyncio.run(_prepare(postgres, folder, learners))
    with Postgres(folder / "migration", durable=True, settings=_SERVER) as postgres:
        before = asyncio.run(_sums_of(postgres, database))
        statuses = [_run_watched(postgres, database, folder, "migrate", half) for half in ("--expand", "--contract")]
        after = asyncio.run(_sums_of(postgres, database))
        statuses.append(_run(ROOT, postgres, database, folder, "verify"))
    different = {name: (count, after.get(name)) for name, count in before.items() if after.get(name) != count}
    rows = sum(before.values()) - before["minutes"]
    _log(f"{rows:,} rows and {before['minutes']:,} minutes before; others afterwards: {different or 'none'}")
    return 1 if any(statuses) or different else 0


if __name__ == "__main__":
    sys.exit(main())
