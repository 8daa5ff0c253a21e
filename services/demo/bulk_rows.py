"""Inserts rows in bulk: keys are assigned beforehand, and one statement inserts all rows of a table."""

import asyncio
import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db import updated_at_triggers
from db.database import Database
from db.history.complete import complete
from db.models.audit_event import AuditEvent
from db.models.base import Base
from db.models.file import File
from db.models.guest_invitation import GuestInvitation
from db.models.provider import Provider
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.registry import mapped_classes
from db.models.time_log_entry import TimeLogEntry
from services.demo.sample_files import SampleFile
from services.off_the_job import recount_time
from services.storage.file_store import FileStore

MAX_SAMPLE_BYTES = 10 * 1024 * 1024
_CONCURRENT_WRITES = 16
# Of the tables that only the server reads, those of which a demo has rows.
_INTERNAL = (GuestInvitation,)
# listed: not inserted here, so that they stay unlocked: providers, what the importer writes, and sealed audit events
_INSERTED_ELSEWHERE = (Provider, Qualification, QualificationUnit, QualificationCriterion, AuditEvent)


class Rows:
    """Rows to be inserted. `add` returns a row, which can be changed until it is inserted."""

    def __init__(self, next_keys: dict[type[Base], int]) -> None:
        self._next_keys = next_keys
        self._pending: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self._files: list[tuple[dict[str, Any], SampleFile]] = []

    def add(self, table: type[Base], **values: Any) -> dict[str, Any]:
        """Adds a row: `values`, the next key, and the defaults of the other columns.

        A default that is a function is called when the row is inserted.
        """
        row = _defaults(table) | values
        if table in self._next_keys:
            row["id"] = self._next_keys[table]
            self._next_keys[table] += 1
        self._pending[table].append(row)
        return row

    def add_file(self, sample: SampleFile, at: dt.datetime, **values: Any) -> dict[str, Any]:
        """Adds the row of a file; its bytes are stored when the rows are written."""
        row = self.add(
            File,
            name=sample.name,
            content_type=sample.content_type,
            size=len(sample.content),
            sha256=_sha256(sample.content),
            announced_at=at,
            uploaded_at=at,
            **values,
        )
        self._files.append((row, sample))
        return row

    def of(self, table: type[Base]) -> list[dict[str, Any]]:
        """The rows of a table that are not inserted yet."""
        return self._pending[table]

    async def write(self, session: AsyncSession, file_store: FileStore) -> None:
        """Stores the files, then inserts all rows."""
        await self._store_files(file_store)
        connection = await session.connection()
        for table in mapped_classes():
            if rows := self._pending.pop(table, None):
                if connection.dialect.name == "postgresql":
                    await _copy(connection, table, rows)
                else:
                    await session.execute(insert(table.__table__), rows)

    async def _store_files(self, file_store: FileStore) -> None:
        """Stores one copy of the files of a learner with the same content: they are erased together."""
        rows_of: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
        contents: dict[tuple[int, str], bytes] = {}
        for row, sample in self._files:
            copy = row["learner_id"], row["sha256"]
            rows_of[copy].append(row)
            contents[copy] = sample.content
        self._files.clear()
        slots = asyncio.Semaphore(_CONCURRENT_WRITES)

        async def store(copy: tuple[int, str]) -> None:
            async with slots:
                stored = await file_store.write(_stream(contents[copy]), limit=MAX_SAMPLE_BYTES)
            for row in rows_of[copy]:
                row["storage_key"] = stored.storage_key

        async with asyncio.TaskGroup() as group:
            for copy in rows_of:
                group.create_task(store(copy))


@asynccontextmanager
async def bulk_insert(database: Database, file_store: FileStore) -> AsyncIterator[tuple[AsyncSession, Rows]]:
    """One transaction, and the rows that it inserts when the block ends.

    On PostgreSQL the tables are locked, because keys are assigned here and not by their sequences.
    """
    keyed = [
        table
        for table in mapped_classes()
        if "id" in table.__table__.columns
        and (not table.__internal__ or table in _INTERNAL)
        and table not in _INSERTED_ELSEWHERE
    ]
    async with database.writing() as session:
        if not database.is_sqlite:
            names = ", ".join(f'"{table.__tablename__}"' for table in keyed)
            await session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
            sequences = {table: func.pg_get_serial_sequence(f'"{table.__tablename__}"', "id") for table in keyed}
            next_keys = {table: await _next_value(session, sequences[table]) for table in keyed}
        else:
            next_keys = {table: await _max_key(session, table) + 1 for table in keyed}
        # Each row says itself when it last changed.
        connection = await session.connection()
        await connection.run_sync(updated_at_triggers.remove)
        rows, first_entry = Rows(next_keys), next_keys[TimeLogEntry]
        yield session, rows
        await rows.write(session, file_store)
        await recount_time(session, TimeLogEntry.id >= first_entry)
        if not database.is_sqlite:
            for table in keyed:
                # The sequence continues after the keys that were assigned here.
                await session.execute(select(func.setval(sequences[table], next_keys[table], False)))
        await connection.run_sync(updated_at_triggers.install)
    # Rows that are inserted in bulk say nothing to the history.
    await complete(database)


async def _next_value(session: AsyncSession, sequence: Any) -> int:
    return (await session.execute(select(func.nextval(sequence)))).scalar_one()


async def _max_key(session: AsyncSession, table: type[Base]) -> int:
    return (await session.execute(select(func.coalesce(func.max(table.__table__.c.id), 0)))).scalar_one()


async def _copy(connection: AsyncConnection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """Inserts rows with COPY, several times as fast as INSERT. All rows have the same columns."""
    values: list[Sequence[Any]] = []
    columns = [table.__table__.c[name] for name in rows[0]]
    for column in columns:
        given = [row[column.key] for row in rows]
        bind = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        values.append(list(map(bind, given)) if bind else given)
    for column in table.__table__.c:
        if column.key not in rows[0]:
            columns.append(column)
            default: Any = column.default
            values.append([default.arg(_Inserted(row)) for row in rows])
    driver: Any = (await connection.get_raw_connection()).driver_connection
    names = [column.name for column in columns]
    await driver.copy_records_to_table(table.__tablename__, records=zip(*values, strict=True), columns=names)


class _Inserted:
    """The part of SQLAlchemy's execution context that functions for column defaults use."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.get_current_parameters = lambda: row


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


@cache
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def _defaults(table: type[Base]) -> dict[str, Any]:
    defaults: dict[str, Any] = {column.key: column.default for column in table.__table__.columns}
    return {
        key: None if default is None else default.arg
        for key, default in defaults.items()
        if default is None or default.is_scalar
    }
