"""Server processes share bulk exports: one makes each, another takes over what a process has left, and roles end."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, update

from db.database import Database
from db.models.bulk_export import BulkExport, ReportSchedule
from domain import clock
from domain.bulk_exports import LEASE, MOST_ATTEMPTS
from domain.enums import BulkExportStatus, ExportFormat, Interval, Role
from domain.report_schedule import next_time
from repositories import bulk_export as repository
from tests.support.factories import Factory

NOW = clock.london_time(dt.date(2026, 11, 28), 12)


async def an_export(database: Database, **values: Any) -> int:
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        user = await factory.user(provider, "Mia", Role.MASTER_ADMIN)
        export = BulkExport(
            provider_id=provider.id, user_id=user.id, role=Role.MASTER_ADMIN, operation="reviews_due", variables={},
            format=ExportFormat.CSV, status=BulkExportStatus.RUNNING, started_at=NOW, as_of=NOW, **values,
        )  # fmt: skip
        session.add(export)
        await session.flush()
        return export.id


async def claimed(database: Database, key: int, now: dt.datetime) -> Any:
    async with database.writing() as session:
        return await repository.claim(session, key, now)


async def the_export(database: Database, key: int) -> Any:
    (row,) = await database.rows(select(BulkExport.__table__).where(BulkExport.id == key))
    return row


async def test_what_a_process_left_is_taken_over_three_times(database: Database):
    key = await an_export(database)
    now, lease = NOW, ""
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert await repository.waiting(database, now, 9) == [key]
        found = await claimed(database, key, now)
        assert found.attempts == attempt
        # Nobody else takes it while its process says that it is at work.
        assert await repository.waiting(database, now, 9) == [] and await claimed(database, key, now) is None
        async with database.writing() as session:
            assert await repository.note(session, key, found.lease, now, row_count=attempt)
            assert not lease or not await repository.note(session, key, lease, now, row_count=99)
        now, lease = now + LEASE + dt.timedelta(seconds=1), found.lease
    assert await claimed(database, key, now) is None
    failed = await the_export(database, key)
    assert (failed.status, failed.failure, failed.row_count) == (BulkExportStatus.FAILED, "SERVER_STOPPED", 3)
    assert await repository.waiting(database, now, 9) == []


async def test_a_process_that_stops_gives_it_back(database: Database):
    key = await an_export(database)
    found = await claimed(database, key, NOW)
    async with database.writing() as session:
        await repository.release(session, key, found.lease)
    assert (await claimed(database, key, NOW)).attempts == 1


async def test_schedules_end_with_the_role(database: Database):
    key = await an_export(database, storage_key="ab/" + "0" * 32)
    export = await the_export(database, key)
    async with database.writing() as session:
        session.add(
            ReportSchedule(
                provider_id=export.provider_id, user_id=export.user_id, role=Role.MASTER_ADMIN, operation="reviews_due",
                variables={}, every=Interval.DAY, format=ExportFormat.CSV, next_at=NOW, created_at=NOW,
            )
        )  # fmt: skip
    (due,) = await repository.due_schedules(database, NOW)
    assert not due.is_over and await repository.due_schedules(database, NOW - dt.timedelta(seconds=1)) == []
    assert await repository.withdrawn(database) == []
    async with database.writing() as session:
        await session.execute(update(ReportSchedule).values(role=Role.IQA))
        await session.execute(update(BulkExport).values(role=Role.IQA))
        assert await repository.move_schedule(session, due.id, NOW, next_at=NOW + dt.timedelta(days=1))
        assert not await repository.move_schedule(session, due.id, NOW, next_at=NOW)
    # Also before its time.
    (over,) = await repository.due_schedules(database, NOW)
    assert over.is_over
    assert [row.id for row in await repository.withdrawn(database)] == [key]


@pytest.mark.parametrize(
    ("every", "now", "expected"),
    [
        (Interval.DAY, "2026-11-28T05:59:00+00:00", "2026-11-28T06:00:00+00:00"),
        (Interval.DAY, "2026-11-28T06:00:00+00:00", "2026-11-29T06:00:00+00:00"),
        (Interval.WEEK, "2026-11-28T12:00:00+00:00", "2026-11-30T06:00:00+00:00"),
        (Interval.MONTH, "2026-11-28T12:00:00+00:00", "2026-12-01T06:00:00+00:00"),
        # London is an hour ahead in summer, from the last Sunday of March.
        (Interval.DAY, "2026-03-28T12:00:00+00:00", "2026-03-29T05:00:00+00:00"),
    ],
)
def test_times_are_of_london(every: Interval, now: str, expected: str):
    assert next_time(every, dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(expected)
