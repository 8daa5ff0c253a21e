"""Runs the migrations: `expand` adds, while processes of the last version serve; `contract` removes afterwards."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db import updated_at_triggers
from db.database import Database
from db.migration_batches import fills_text, run_fill
from db.migration_locks import COUNT_STATEMENT, LOCK_MILLISECONDS, Report, only_one, retried, transaction
from db.models.registry import metadata
from db.sqlite_autoincrement import never_reuse_keys
from db.table_version import Migrations, TableVersion, migrations, table_version, version_of

# SQLSTATE of a column, of a table or index, and of a constraint or trigger that is there already.
_EXISTS = ("42701", "42P07", "42710")


async def migrate(database: Database, report: Report = lambda _: None) -> None:
    """Expands, then contracts. `report` receives a line for each step."""
    is_new = (await table_version(database)).oldest is None
    await expand(database, report)
    await contract(database, report)
    if is_new:
        # No older process has ever served these tables, also where the last migrations only add.
        async with database.writing() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = expanded"))


async def expand(database: Database, report: Report = lambda _: None, found: Migrations | None = None) -> None:
    """Runs the `upgrade` of all pending migrations, then their fills. The processes that run continue.

    On SQLite each `upgrade` is one transaction; on PostgreSQL one that was stopped continues with the next run.
    """
    found = found or migrations()
    async with only_one(database, report):
        is_new = (await table_version(database)).oldest is None
        pending = found.pending(await table_version(database))
        async with _triggers(database, bool(pending), report):
            for script in pending:
                report(f"{script.revision}: {script.doc}")
                await _run(database, _Step(script, found, is_new), report)
            if database.is_sqlite:
                await _run_sync(database, never_reuse_keys)
        to_fill = found.to_fill(await table_version(database))
        if to_fill and not database.is_sqlite:
            await _analyze(database, report)
        for step in to_fill:
            await run_fill(database, step, found.fills[step], report)


async def contract(database: Database, report: Report = lambda _: None, found: Migrations | None = None) -> None:
    """Fills what older processes have written since, then runs the `contract` of all expanded migrations.

    No process of an older version may run any more.
    """
    found = found or migrations()
    async with only_one(database, report):
        for step in found.to_fill_again(await table_version(database)):
            await run_fill(database, step, found.fills[step], report, contracts=True)
        to_contract = found.to_contract(await table_version(database))
        async with _triggers(database, bool(to_contract), report):
            for script in to_contract:
                report(f"{script.revision}: contracts ({script.doc})")
                await _run(database, _Step(script, found, contracts=True), report)
            if database.is_sqlite and to_contract:
                # A table that was rebuilt has lost it.
                await _run_sync(database, never_reuse_keys)


async def write_migration(database: Database, message: str) -> str:
    """Writes the next migration file, with the differences between the mapped classes and the database.

    For developers (`scripts/new-migration`). Returns the path of the file.
    """
    config, number = migrations().config, f"{int(migrations().head) + 1:04}"
    written: list[Any] = []

    def work(connection: Connection) -> None:
        # Alembic refuses a database whose tables serve older versions too.
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = coalesce(expanded, version_num)")
        config.attributes["connection"] = connection
        written.append(command.revision(config, message, autogenerate=True, rev_id=number))

    async with database.writing() as session:
        await (await session.connection()).run_sync(work)
        await session.rollback()
    return str(written[0].path)


class _Step:
    """One half of one migration. Called with a connection, it runs unless another process has run it meanwhile."""

    def __init__(self, script: Script, found: Migrations, is_new: bool = False, contracts: bool = False) -> None:
        self.script = script
        declared = "contract_in_transaction" if contracts else "in_transaction"
        self.in_transaction: bool = getattr(script.module, declared, True)
        self._found = found
        self._is_new = is_new
        self.contracts = contracts
        # Nobody uses new tables.
        self.is_by_statement = self.in_transaction and not contracts and not is_new
        # How many statements have run that had a transaction of their own and are not repeated.
        self.done = 0

    def __call__(self, connection: Connection) -> None:
        version = version_of(connection)
        waiting = self._found.to_contract(version) if self.contracts else self._found.pending(version)
        if self.script.revision not in [script.revision for script in waiting]:
            return
        run = self.script.module.contract if self.contracts else self.script.module.upgrade
        # SQLAlchemy counts a connection in autocommit as one in a transaction, and a migration must not end it.
        options = {"target_metadata": metadata, "transactional_ddl": False, COUNT_STATEMENT: self.count_statement}
        context = MigrationContext.configure(connection, opts=options)
        if self.is_by_statement and connection.dialect.name == "postgresql":
            # Every operation of Alembic calls it once for a statement.
            context.impl._exec = _Remaining(self, context.impl._exec)  # type: ignore[method-assign]
        with Operations.context(context):
            run()
        self._record(connection, version)

    def count_statement(self) -> None:
        """Notes that a statement has run, so that the next one has all attempts to get its locks."""
        self.done += 1

    def _record(self, connection: Connection, version: TableVersion) -> None:
        columns = _columns(connection)
        if not columns:
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, expanded VARCHAR(32), fills TEXT, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
        for name, kind in {"expanded": "VARCHAR(32)", "fills": "TEXT"}.items():
            if columns and name not in columns:
                connection.exec_driver_sql(f"ALTER TABLE alembic_version ADD COLUMN {name} {kind}")
        revision = self.script.revision
        # New tables serve no older version either, unless something is still to be contracted.
        is_whole = version.oldest == version.expanded and not hasattr(self.script.module, "contract")
        oldest = revision if self.contracts or (self._is_new and is_whole) else version.oldest or revision
        expanded = version.expanded if self.contracts else revision
        new = () if self.contracts or self._is_new else self._found.fills_of(self.script)
        changed = "INSERT INTO alembic_version (version_num, expanded, fills) VALUES (:oldest, :expanded, :fills)"
        if version.oldest is not None:
            changed = "UPDATE alembic_version SET version_num = :oldest, expanded = :expanded, fills = :fills"
        fills = fills_text(version.fills | dict.fromkeys(new, 0))
        connection.execute(text(changed), {"oldest": oldest, "expanded": expanded, "fills": fills})


class _Remaining:
    """Runs the statements of an interrupted `upgrade` that have not run."""

    def __init__(self, step: _Step, execute: Callable[..., Any]) -> None:
        self._step, self._execute, self._seen = step, execute, 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._seen += 1
        if self._seen <= self._step.done:
            return None
        try:
            found = self._execute(*arguments, **options)
        except DBAPIError as error:
            # A run that was ended, with its process, has made it.
            if getattr(error.orig, "sqlstate", None) not in _EXISTS:
                raise
            found = None
        self._step.done += 1
        return found


@asynccontextmanager
async def _triggers(database: Database, renewed: bool, report: Report) -> AsyncIterator[None]:
    """Brings the triggers of `db/updated_at_triggers.py` up to date after the block, whether or not it succeeds.

    `renewed`: the block may rebuild tables, which SQLite refuses while a trigger names one of them.
    """
    if renewed and database.is_sqlite:
        await _run_sync(database, updated_at_triggers.remove)
    try:
        yield
    finally:
        if database.is_sqlite:
            await _run_sync(database, updated_at_triggers.install)
        else:
            await _install_triggers(database, report)


async def _install_triggers(database: Database, report: Report) -> None:
    """Each table in a transaction of its own: writers wait while its triggers are changed."""

    async def run(statements: list[str]) -> None:
        async with database.reading(primary=True) as connection, transaction(connection, is_sqlite=False):
            for statement in statements:
                await connection.exec_driver_sql(statement)

    async with database.reading(primary=True) as connection:
        found = await connection.run_sync(updated_at_triggers.changes)
    for table, statements in found.items():
        await retried(f"triggers of {table}", partial(run, statements), report)


async def _analyze(database: Database, report: Report) -> None:
    """Collects statistics on PostgreSQL, while the tables are read and written.

    Without them, as in a database that pg_restore has just filled, a fill reads a whole table for each row or batch.
    """
    report("Collects statistics for the fills")
    async with database.reading(primary=True) as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        quote = connection.dialect.identifier_preparer.quote
        await connection.exec_driver_sql(f"ANALYZE {', '.join(quote(name) for name in tables)}")


async def _run_sync(database: Database, work: Callable[[Connection], None]) -> None:
    async with database.writing() as session:
        await (await session.connection()).run_sync(work)


def _columns(connection: Connection) -> set[str]:
    inspector = inspect(connection)
    if not inspector.has_table("alembic_version"):
        return set()
    return {each["name"] for each in inspector.get_columns("alembic_version")}


async def _run(database: Database, step: _Step, report: Report) -> None:
    async def once() -> None:
        async with database.reading(primary=True) as connection:
            await _run_once(connection, step, database.is_sqlite)

    await retried(step.script.revision, once, report, lambda: step.done)


async def _run_once(connection: AsyncConnection, step: _Step, is_sqlite: bool) -> None:
    """Runs a step on a connection in autocommit, in a transaction unless the migration declares otherwise.

    On PostgreSQL each statement of an `upgrade` has a transaction of its own. One for all would hold the lock of a
    table while it waits for the next, and requests that hold the next one wait for the first.
    """
    if not step.in_transaction and not (is_sqlite and step.contracts):
        return await connection.run_sync(step)
    if step.is_by_statement and not is_sqlite:
        await connection.exec_driver_sql(f"SET lock_timeout = {LOCK_MILLISECONDS}")
        try:
            return await connection.run_sync(step)
        finally:
            await connection.exec_driver_sql("RESET lock_timeout")
    if is_sqlite:
        # SQLite rebuilds a table to change it, and references to it must not be checked while it is gone. The setting
        # has no effect within a transaction.
        await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    try:
        async with transaction(connection, is_sqlite):
            await connection.run_sync(step)
            if is_sqlite and (broken := (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()):
                raise RuntimeError(f"Migration {step.script.revision} breaks {len(broken)} references: {broken[:3]}")
    finally:
        if is_sqlite:
            await connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    return None
