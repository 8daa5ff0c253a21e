"""Rows in bulk: keys given out beforehand, a statement a table for many rows, in an order that holds."""

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

from db.database import Database
from db.models import registry as tables
from db.models.base import Base
from domain import clock
from services.demo.sample_files import Sample
from services.storage.file_store import FileStore

LARGEST_SAMPLE = 10 * 1024 * 1024
_WRITES_AT_ONCE = 16

# A table stands behind those that it points to.
_ORDER: tuple[type[Base], ...] = (
    tables.Employer, tables.User, tables.RoleGrant, tables.Learner, tables.ManagerAllocation, tables.OverviewAllocation,
    tables.Aim, tables.AimProgress, tables.File, tables.Session, tables.SessionAim, tables.SessionFile, tables.Action,
    tables.ActionFile, tables.Evidence, tables.EvidenceVersion, tables.EvidenceSignature, tables.EvidenceMapping,
    tables.CriterionProgress, tables.UnitSignature, tables.TimeLogEntry, tables.SignatureRequest, tables.SignatureSlot,
    tables.Resource, tables.CvSection, tables.CvDocument,
)  # fmt: skip


class Rows:
    """Rows that wait to be inserted. A row can be completed until then: `add` gives it back."""

    def __init__(self, next_keys: dict[type[Base], int]) -> None:
        self._next_keys = next_keys
        self._waiting: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self._files: list[tuple[dict[str, Any], Sample]] = []

    def add(self, table: type[Base], **values: Any) -> dict[str, Any]:
        """A row with every column; what is not given is the column's default, the key the next one.

        Columns with a function for a default are filled as they are inserted, unless they are given.
        """
        row = _defaults(table) | values
        if table in self._next_keys:
            row["id"] = self._next_keys[table]
            self._next_keys[table] += 1
        self._waiting[table].append(row)
        return row

    def add_file(self, sample: Sample, at: dt.datetime, **values: Any) -> dict[str, Any]:
        """The row of a file with the sample's bytes, which are kept when the rows are written."""
        row = self.add(
            tables.File,
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
        """The rows of a table that wait."""
        return self._waiting[table]

    async def write(self, session: AsyncSession, file_store: FileStore) -> None:
        """Keeps the files, then inserts everything that waits."""
        await self._keep_files(file_store)
        connection = await session.connection()
        for table in _ORDER:
            if waiting := self._waiting.pop(table, None):
                if connection.dialect.name == "postgresql":
                    await _copy(connection, table, waiting)
                else:
                    await session.execute(insert(table.__table__), waiting)
        if self._waiting:
            raise LookupError(f"no place in the order of tables for {[table.__name__ for table in self._waiting]}")

    async def _keep_files(self, file_store: FileStore) -> None:
        """A learner's files with the same content share one stored copy: they are erased together, with the learner."""
        shared: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
        contents: dict[tuple[int, str], bytes] = {}
        for row, sample in self._files:
            place = row["learner_id"], row["sha256"]
            shared[place].append(row)
            contents[place] = sample.content
        self._files.clear()
        gate = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def keep(place: tuple[int, str]) -> None:
            async with gate:
                stored = await file_store.write(_once(contents[place]), limit=LARGEST_SAMPLE)
            for row in shared[place]:
                row["storage_key"] = stored.storage_key

        async with asyncio.TaskGroup() as group:
            for place in shared:
                group.create_task(keep(place))


@asynccontextmanager
async def filling(database: Database, file_store: FileStore) -> AsyncIterator[tuple[AsyncSession, Rows]]:
    """One transaction and the rows that it inserts at its end. Nobody else adds rows meanwhile: keys are given here."""
    keyed = [table for table in _ORDER if "id" in table.__table__.columns]
    async with database.writing() as session:
        if not database.is_sqlite:
            names = ", ".join(f'"{table.__tablename__}"' for table in keyed)
            await session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
            sequences = {table: func.pg_get_serial_sequence(f'"{table.__tablename__}"', "id") for table in keyed}
            next_keys = {table: await session.scalar(select(func.nextval(sequences[table]))) for table in keyed}
        else:
            next_keys = {
                table: await session.scalar(select(func.coalesce(func.max(table.id), 0))) + 1 for table in keyed
            }
        rows = Rows(next_keys)
        yield session, rows
        await rows.write(session, file_store)
        if not database.is_sqlite:
            for table in keyed:
                # The sequence goes on behind the keys that were given out here.
                await session.execute(select(func.setval(sequences[table], next_keys[table], False)))


async def _copy(connection: AsyncConnection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """PostgreSQL's own way in for many rows, several times as fast as INSERT; all of them have the same columns."""
    values: list[Sequence[Any]] = []
    columns = [table.__table__.c[name] for name in rows[0]]
    for column in columns:
        given = [row[column.key] for row in rows]
        bind = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        values.append(list(map(bind, given)) if bind else given)
    for column in table.__table__.c:
        if column.key not in rows[0]:
            columns.append(column)
            values.append([column.default.arg(_Inserted(row)) for row in rows])
    driver = (await connection.get_raw_connection()).driver_connection
    names = [column.name for column in columns]
    await driver.copy_records_to_table(table.__tablename__, records=zip(*values, strict=True), columns=names)


class _Inserted:
    """What a column's function for a default is told of the row: as much of SQLAlchemy's context as it reads."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.get_current_parameters = lambda: row


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@cache
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def _defaults(table: type[Base]) -> dict[str, Any]:
    columns = [column for column in table.__table__.columns if column.default is None or column.default.is_scalar]
    return {column.key: column.default.arg if column.default is not None else None for column in columns}


def at(day: dt.date, hour: int = 9, minute: int = 0) -> dt.datetime:
    """A moment in UTC, by the clock on a wall in London."""
    return dt.datetime.combine(day, dt.time(hour, minute), clock.LONDON).astimezone(dt.UTC)
