"""Deletes the rows that have ended, as the mapped classes declare them (`db/models/growth.py`), while the server runs.

Every process tries, and one at a time works: on PostgreSQL the transaction of each batch holds an advisory lock, and an
SQLite file has one server. Folders that a killed process of this machine left are removed too.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.models.base import Base
from db.models.growth import Sweep
from db.models.registry import mapped_classes, metadata
from db.sqlite_file import truncate_log
from domain import clock
from services.exports.own_folder import remove_left_folders
from services.storage.file_store import FileStore, StoreUnavailable

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 300.0
# Rows that one transaction deletes, and transactions of one pass over a table.
BATCH_SIZE = 500
MAX_BATCHES = 40
# Between two batches, so that on SQLite the writes of requests come in between.
PAUSE_SECONDS = 0.05
# The advisory lock of the sweeper: a number that no other part of Waymark uses.
_LOCK = 0x57415953


@dataclass(slots=True)
class SweepState:
    """The state of the sweep of one table in this process.

    `rows`: those that can end, at the last pass. `deleted`: by this process since it started. `last_run`: the end of
    its last pass, by this process or by the one that held the lock; None before the first.
    """

    rows: int = 0
    deleted: int = 0
    last_run: dt.datetime | None = None


def swept_classes() -> list[tuple[type[Base], Sweep]]:
    """Every class whose table is swept, each before those that its rows refer to."""
    return [
        (entity, entity.__growth__) for entity in reversed(mapped_classes()) if isinstance(entity.__growth__, Sweep)
    ]


class Sweeper:
    """The sweeper of one process: `run()` while the server runs. `states`: by the name of the table."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files
        # Table -> the class of the error, in the pass that runs or the last one.
        self._failed: dict[str, str] = {}
        self.states = {entity.__tablename__: SweepState() for entity, _ in swept_classes()}

    async def sweep(self, now: dt.datetime | None = None) -> dict[str, int]:
        """Makes one pass over every table; returns how many rows it deleted of each.

        A table that cannot be swept is logged and does not keep the others from it.
        """
        moment, self._failed = now or clock.now(), {}
        swept = {}
        for entity, sweep in swept_classes():
            swept[entity.__tablename__] = await self._sweep_table(entity, sweep, moment)
        # Also what an erasure could not remove from SQLite's log because somebody was reading.
        await truncate_log(self._database.url)
        if left := await asyncio.to_thread(remove_left_folders):
            log.info("abandoned_folders_removed", folders=left)
        if self._failed:
            log.warning("sweep_failed", causes=self._failed)
        return swept

    async def run(self) -> None:
        """Sweeps at the start, and then every five minutes; never returns."""
        while True:
            await self.sweep()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _sweep_table(self, entity: type[Base], sweep: Sweep, now: dt.datetime) -> int:
        state, deleted = self.states[entity.__tablename__], 0
        try:
            for _ in range(MAX_BATCHES):
                batch = await self._delete_batch(entity, sweep, now)
                deleted += batch
                if batch < BATCH_SIZE:
                    break
                await asyncio.sleep(PAUSE_SECONDS)
            state.rows = await self._count(entity, sweep)
            state.last_run = clock.now()
        except (SQLAlchemyError, OSError) as error:
            self._failed[entity.__tablename__] = type(error).__name__
        state.deleted += deleted
        if deleted:
            log.info("swept", table=entity.__tablename__, rows=deleted, left=state.rows)
        return deleted

    async def _delete_batch(self, entity: type[Base], sweep: Sweep, now: dt.datetime) -> int:
        """Deletes up to a batch of rows that have ended; 0 also while another process sweeps."""
        key = list(entity.__table__.primary_key)
        # unscoped: the server deletes what has ended, without a viewer
        ended = select(*key).where(_has_ended(entity, sweep, now)).limit(BATCH_SIZE)
        # A read first: on SQLite a delete needs the write lock, which an idle server should not take.
        if not await self._database.rows(ended.limit(1), primary=True):
            return 0
        content = entity.__table__.c[sweep.content] if sweep.content else key[0]
        # A row that a request has locked is about to be used.
        ended = ended.with_for_update(skip_locked=True)
        deleting = delete(entity.__table__).where(tuple_(*key).in_(ended)).returning(content)
        async with self._database.writing() as session:
            if not self._database.is_sqlite and not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
                return 0
            deleted = list(await session.scalars(deleting))
        if sweep.content:
            await self._delete_content([key for key in deleted if key is not None])
        return len(deleted)

    async def _delete_content(self, storage_keys: Sequence[str]) -> None:
        try:
            for storage_key in storage_keys:
                await self._files.delete(storage_key)
        except StoreUnavailable:
            # No record refers to them any more: the sweep of the file store deletes them at the next start of a server.
            log.warning("swept_files_not_deleted", files=len(storage_keys))

    async def _count(self, entity: type[Base], sweep: Sweep) -> int:
        # unscoped: for the operator's gauge
        counting = select(func.count().label("rows")).select_from(entity.__table__)
        if sweep.subject is not None:
            counting = counting.where(sweep.subject(entity))
        return int((await self._database.rows(counting, primary=True))[0].rows)


def _has_ended(entity: type[Base], sweep: Sweep, now: dt.datetime) -> ColumnElement[bool]:
    return and_(sweep.ended(entity, now - sweep.after), *_unreferenced(entity))


def _unreferenced(entity: type[Base]) -> list[ColumnElement[bool]]:
    """That no foreign key refers to the row, one condition for each foreign key of any table."""
    table = entity.__table__
    return [
        ~exists().where(*(part.parent == part.column for part in constraint.elements)).correlate(table)
        for other in metadata.sorted_tables
        for constraint in other.foreign_key_constraints
        if constraint.referred_table is table
    ]
