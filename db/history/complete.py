"""Completes the history of aims: rebuilds what no row was written for, and corrects what a writer left out.

`db/history/daily_rows.py` writes history with each change. This adds what it cannot know: aims that were added by
release 0.1.0, or in bulk, are rebuilt from their dated records; an aim that an older process has changed gets today's
row.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.database import Database
from db.history.daily_rows import CURRENT, close_rows, of_same_provider, record_aims, record_time
from db.history.rebuild import rebuild_aims, rebuild_time
from db.migration_locks import Report
from db.models.aim import Aim, AimProgress
from db.models.aim_history import AimHistory, TimeHistory
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from db.sql.any_of import any_of
from db.sql.day_number import day_number
from domain.enums import JobSetting

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600.0
# Aims or learners of one transaction.
BATCH_SIZE = 200
# Between two batches, so that on SQLite the writes of requests come in between.
PAUSE_SECONDS = 0.02
# The advisory lock: a number that no other part of Waymark uses.
_LOCK = 0x57415954


class HistoryKeeper:
    """Completes the history while the server runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Completes it at the start, and then every hour; never returns."""
        while True:
            try:
                added = await complete(self._database)
                if added:
                    log.info("history_completed", aims=added)
            except SQLAlchemyError as error:
                log.warning("history_not_completed", cause=type(error).__name__)
            await asyncio.sleep(INTERVAL_SECONDS)


async def complete(database: Database, report: Report = lambda _: None) -> int:
    """Rebuilds, corrects and closes rows, in batches. Returns how many aims and learners it wrote rows for.

    `report` receives a line before the first batch and one after the last, if there is one.
    """
    written, began = 0, time.monotonic()
    for find, write in ((without_history, rebuild_aims), (drifted, _record_aims), (_time_drifted, _record_time)):
        last = 0
        while True:
            # A read first: on SQLite a write takes the lock, which an idle server should not take.
            keys = [key for (key,) in await database.rows(find(last).limit(BATCH_SIZE), primary=True)]
            if not keys:
                break
            if not written:
                report("History of aims and time: fills")
            async with database.writing() as session:
                # One process at a time, as another would write the same rows.
                if not database.is_sqlite and not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
                    return written
                await write(session, keys)
            written, last = written + len(keys), keys[-1]
            await asyncio.sleep(PAUSE_SECONDS)
    if written or await database.rows(_unclosed().limit(1), primary=True):
        async with database.writing() as session:
            await close_rows(session)
    if written:
        report(f"History of aims and time: {written:,} aims and learners in {time.monotonic() - began:.1f} s")
    return written


def without_history(after: int = 0) -> Select[Any]:
    """Selects the keys of aims without the rows of their first days, after a key.

    A change of an aim of 0.1.0 writes today's row before the earlier ones are rebuilt.
    """
    # unscoped: the server works on every provider
    first = select(func.min(AimHistory.day)).where(AimHistory.aim_id == Aim.id).correlate(Aim).scalar_subquery()
    return select(Aim.id).where(_begins_late(first, Aim.created_at), Aim.id > after).order_by(Aim.id)


def _begins_late(first: Any, created_at: Any) -> ColumnElement[bool]:
    # A day in London begins up to an hour before the one in UTC.
    return or_(first.is_(None), first > day_number(func.date(created_at)) + 1)


def drifted(after: int = 0) -> Select[Any]:
    """Selects the keys of aims whose last row is not how they stand, after a key."""
    later = aliased(AimHistory)
    # unscoped: the server works on every provider
    last_day = select(func.max(later.day)).where(later.aim_id == Aim.id).correlate(Aim).scalar_subquery()
    differs = [getattr(AimHistory, name).is_distinct_from(current) for name, current in CURRENT.items()]
    # unscoped: the server works on every provider
    return (
        select(Aim.id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .join(Learner, Learner.id == Aim.learner_id)
        .join(AimHistory, and_(AimHistory.aim_id == Aim.id, AimHistory.day == last_day))
        .where(or_(*differs), Aim.id > after)
        .order_by(Aim.id)
    )


def _time_drifted(after: int = 0) -> Select[Any]:
    """Selects the keys of learners without the rows of their first days, or with other minutes than count now."""
    counts = and_(TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB, TimeLogEntry.exclusion.is_(None))
    # unscoped: the server works on every provider
    counted = (
        select(func.coalesce(func.sum(case((counts, TimeLogEntry.minutes), else_=0)), 0))
        .where(of_same_provider(TimeLogEntry))
        .correlate(Learner)
        .scalar_subquery()
    )
    # unscoped: the server works on every provider
    recorded = (
        select(func.sum(TimeHistory.minutes)).where(of_same_provider(TimeHistory)).correlate(Learner)
    ).scalar_subquery()
    # unscoped: the server works on every provider
    first = (
        select(func.min(TimeHistory.day)).where(TimeHistory.learner_id == Learner.id).correlate(Learner)
    ).scalar_subquery()
    differs = or_(_begins_late(first, Learner.created_at), func.coalesce(recorded, 0) != counted)
    # unscoped: the server works on every provider
    return select(Learner.id).where(differs, Learner.id > after).order_by(Learner.id)


def _unclosed() -> Select[Any]:
    later = aliased(AimHistory)
    # unscoped: the server works on every provider
    return select(AimHistory.aim_id).join(
        later, and_(later.aim_id == AimHistory.aim_id, later.day > AimHistory.day, AimHistory.until.is_(None))
    )


async def _record_aims(session: AsyncSession, aim_keys: Sequence[int]) -> None:
    await record_aims(session, any_of(Aim.id, "aim_keys"), {"aim_keys": list(aim_keys)})


async def _record_time(session: AsyncSession, learner_keys: Sequence[int]) -> None:
    await rebuild_time(session, learner_keys)
    await record_time(session, learner_keys)
