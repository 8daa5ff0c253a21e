"""Fills what migrations added, in batches of rows, while processes of the last version read and write these rows.

A migration's `upgrade` adds columns and tables in a transaction that keeps requests out, so it writes no rows. Its
`fills` write them afterwards: each batch in a transaction of its own, which locks only its rows. The column `fills` of
`alembic_version` says how far each one is, so that a run that was stopped is continued.

When the tables contract, every fill runs again, for the rows that processes of the last version have written since.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, text

from db.database import Database
from db.migration_locks import Report, retried, transaction

# Rows of the first batch, of the smallest and of the largest. The size is doubled and halved, so that a batch takes
# about the seconds. On a machine that is too busy for any batch in that time, small ones would only be more of them.
FIRST_SIZE, SMALLEST_SIZE, LARGEST_SIZE, BATCH_SECONDS = 100, 50, 2000, 0.1
# Between two batches, so that on SQLite the writes of requests come in between.
PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Fill:
    """Rows that a migration writes after every `upgrade`, so that all tables and columns of this version are there.

    `write(connection, first, last)` is called for each batch of `table`, with the keys of its first and last row. The
    rows between are locked against other writers. It runs again for rows that it has written, and for rows that
    processes of this version have written: it must leave both as they are. `name` says in reports what is filled, and
    is unique in the migration. `key` is the table's key, a number. `again`: whether the fill runs once more when the
    tables contract.
    """

    name: str
    table: str
    write: Callable[[Connection, int, int], None]
    key: str = "id"
    again: bool = True


async def run_fill(database: Database, step: str, fill: Fill, report: Report, contracts: bool = False) -> None:
    """Runs a fill to its end, from where it was stopped. `step`: the revision and the name of the fill.

    `contracts`: from the first row, for the last time. Raises MigrationBlocked if a row stays locked.
    """
    last: int | None = 0 if contracts else None
    size, rows, began = FIRST_SIZE, 0, time.perf_counter()
    report(f"{step}: {'looks for rows of the last version' if contracts else 'fills'}")
    while True:
        begun = time.perf_counter()
        batch = _Batch(step, fill, size, last)
        await retried(step, partial(_run_batch, database, batch), report)
        if batch.is_last:
            break
        rows += batch.rows
        if contracts:
            last = batch.last
        took = time.perf_counter() - begun
        if took > BATCH_SECONDS:
            size = max(size // 2, SMALLEST_SIZE)
        elif took < BATCH_SECONDS / 2:
            size = min(size * 2, LARGEST_SIZE)
        await asyncio.sleep(PAUSE_SECONDS)
    report(f"{step}: {rows:,} rows in {time.perf_counter() - began:.1f} s")


async def _run_batch(database: Database, batch: "_Batch") -> None:
    async with database.reading(primary=True) as connection, transaction(connection, database.is_sqlite):
        await connection.run_sync(batch)


class _Batch:
    """One batch. Called with a connection in a transaction, it writes its rows and records that it has."""

    def __init__(self, step: str, fill: Fill, size: int, last: int | None) -> None:
        self._step, self._fill, self._size = step, fill, size
        # The key after which the batch begins; None: where the fill was stopped, which is recorded.
        self._after = last
        # The key of the last row.
        self.last = 0
        self.rows = 0
        self.is_last = False

    def __call__(self, connection: Connection) -> None:
        fills = read_fills(connection)
        recorded = fills.get(self._step)
        after = recorded if self._after is None else self._after
        if self._step not in fills or after is None:
            # Another process has filled the rest: on SQLite nothing keeps it from that.
            self.is_last = True
            return
        keys = self._locked(connection, after)
        if keys:
            self._fill.write(connection, keys[0], keys[-1])
            self.rows, self.last = len(keys), keys[-1]
            if self._after is None:
                write_fills(connection, {**fills, self._step: self.last})
            return
        self.is_last = True
        if self._after is not None or not self._fill.again:
            del fills[self._step]
        else:
            fills[self._step] = None
        write_fills(connection, fills)

    def _locked(self, connection: Connection, after: int) -> list[int]:
        table, key = self._fill.table, self._fill.key
        # Of the locks that keep writers out, the one that lets rows refer to these.
        lock = "" if connection.dialect.name == "sqlite" else " FOR NO KEY UPDATE"
        rows = text(f"SELECT {key} FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT :size{lock}")
        return list(connection.scalars(rows, {"after": after, "size": self._size}))


def write_texts(connection: Connection, table: str, column: str, texts: Mapping[int, str | None]) -> None:
    """Stores a text in the column of each row of `table`. `texts`: by the row's id.

    On PostgreSQL one statement updates them: with a statement for each row, most of its time goes to starting them.
    """
    if not texts:
        return
    if connection.dialect.name == "sqlite":
        each = text(f"UPDATE {table} SET {column} = :text WHERE id = :key")
        connection.execute(each, [{"key": key, "text": one} for key, one in texts.items()])
        return
    every = text(
        f"UPDATE {table} SET {column} = new.text FROM unnest(CAST(:keys AS bigint[]), CAST(:texts AS text[])) "
        f"AS new(key, text) WHERE {table}.id = new.key"
    )
    connection.execute(every, {"keys": list(texts), "texts": list(texts.values())})


def read_fills(connection: Connection) -> dict[str, int | None]:
    """Returns the last key that each fill has written; None for one that is done and runs again with `contract`."""
    found = connection.exec_driver_sql("SELECT fills FROM alembic_version").scalar()
    return json.loads(found) if found else {}


def write_fills(connection: Connection, fills: dict[str, int | None]) -> None:
    """Records how far the fills are."""
    connection.execute(text("UPDATE alembic_version SET fills = :fills"), {"fills": fills_text(fills)})


def fills_text(fills: dict[str, int | None]) -> str | None:
    """Returns what is stored of how far the fills are."""
    return json.dumps(fills) if fills else None
