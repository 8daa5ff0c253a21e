"""The files of bulk exports have a quota of bytes, of one user and of one provider."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from db.models.bulk_export import BulkExport, ReportSchedule
from domain import clock
from domain.bulk_exports import KEPT
from domain.enums import BulkExportStatus, ExportFormat, Interval, Role
from queries.reports import Reports
from resolvers.bulk_export_work import BulkExports
from services.quotas import MEGABYTE, Quotas
from services.sweeper import Sweeper
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

CHOSEN = {"operation": "site_comparison", "format": "CSV"}
ROLES = {"master": Role.MASTER_ADMIN, "basic": Role.BASIC_ADMIN, "iqa": Role.IQA}


@pytest.fixture
def scenario(scenario: EmptyPortfolio) -> EmptyPortfolio:
    reports = Reports()
    scenario.services.saved_queries = reports.names
    scenario.services.parse_report_variables = reports.parse_json
    scenario.services.quotas = Quotas(
        bulk_export_megabytes=2, bulk_export_megabytes_provider=3, exports_viewer=30, bulk_exports=30
    )
    return scenario


async def kept(scenario: EmptyPortfolio, who: str, size: int, **columns: Any) -> None:
    """Adds an export with a file of so many bytes."""
    async with scenario.database.writing() as session:
        await Factory(session).bulk_export(scenario.user(who), ROLES[who], size=size, **columns)


async def started(scenario: EmptyPortfolio, who: str = "master") -> int:
    payload = await scenario.client(who).payload("bulkExportStart", **CHOSEN)
    return int(payload["bulkExport"]["id"].partition("_")[2])


async def reason(scenario: EmptyPortfolio, who: str) -> str:
    """Returns the message with which an export is refused."""
    assert await scenario.client(who).user_errors("bulkExportStart", **CHOSEN) == {None: "TOO_MANY_ATTEMPTS"}
    return await scenario.client(who).user_error_text("bulkExportStart", **CHOSEN)


async def made(scenario: EmptyPortfolio, *keys: int) -> list[BulkExport]:
    work = BulkExports(scenario.services)
    assert await work.begin() == len(keys)
    await work.finish()
    return [await scenario.one(BulkExport, key) for key in keys]


def stored_bytes(scenario: EmptyPortfolio) -> int:
    folder: Path = scenario.services.files._folder  # type: ignore[attr-defined]
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


async def test_a_user_and_a_provider_have_so_much_room(scenario: EmptyPortfolio) -> None:
    await kept(scenario, "master", 2 * MEGABYTE - 1)
    await started(scenario)
    await kept(scenario, "master", 1, storage_key="b")
    assert await reason(scenario, "master") == (
        "The files of your exports take up 2 MB, which is the limit. Each is deleted three days after it was started. "
        "Try again then, and choose Parquet, which needs the least space."
    )
    await started(scenario, "iqa")
    await kept(scenario, "iqa", MEGABYTE, storage_key="c")
    assert (await reason(scenario, "basic")).startswith("The exports of your training provider take up all the space")
    # What has no file any more takes no room.
    async with scenario.database.writing() as session:
        await session.execute(update(BulkExport).where(BulkExport.storage_key == "b").values(storage_key=None))
    await started(scenario, "basic")


async def test_room_comes_back_when_files_are_swept(scenario: EmptyPortfolio) -> None:
    await kept(scenario, "master", 2 * MEGABYTE, started_at=clock.now() - KEPT - dt.timedelta(minutes=1))
    await reason(scenario, "master")
    await Sweeper(scenario.database, scenario.services.files).sweep()
    await started(scenario)


async def test_a_file_that_has_no_room_is_not_kept(scenario: EmptyPortfolio) -> None:
    (fits,) = await made(scenario, await started(scenario))
    assert fits.status is BulkExportStatus.DONE and fits.size is not None and fits.size > 20
    before = stored_bytes(scenario)
    await kept(scenario, "master", 2 * MEGABYTE - 2 * fits.size + 1, storage_key="b")
    (failed,) = await made(scenario, await started(scenario))
    assert (failed.status, failed.failure, failed.storage_key) == (BulkExportStatus.FAILED, "NO_ROOM", None)
    assert stored_bytes(scenario) == before
    shown = await scenario.client("master").data("{ viewer { bulkExports { failure } } }")
    assert any("Choose Parquet" in (each["failure"] or "") for each in shown["viewer"]["bulkExports"])


async def test_a_schedule_without_room_fails_and_says_so(scenario: EmptyPortfolio) -> None:
    await kept(scenario, "master", 2 * MEGABYTE)
    user, now = scenario.user("master"), clock.now()
    schedule = ReportSchedule(
        provider_id=user.provider_id, user_id=user.id, role=Role.MASTER_ADMIN, operation="site_comparison",
        variables={}, every=Interval.DAY, format=ExportFormat.CSV, next_at=now, created_at=now,
    )  # fmt: skip
    await scenario.add(schedule)
    work = BulkExports(scenario.services)
    assert await work.begin() == 1
    await work.finish()
    (failed,) = await scenario.rows(BulkExport, BulkExport.schedule_id == schedule.id)
    assert (failed.status, failed.failure, failed.row_count) == (BulkExportStatus.FAILED, "NO_ROOM", 0)
    (mail,) = await scenario.mails()
    assert "need more space than your exports" in " ".join(mail.body.split())


async def test_exports_that_end_at_once_stay_within_the_room_of_their_user(scenario: EmptyPortfolio) -> None:
    (first,) = await made(scenario, await started(scenario))
    assert first.size is not None
    # There is room for two more, and six are made at once, each of which had room when it began.
    await kept(scenario, "master", 2 * MEGABYTE - first.size * 3 - first.size // 2, storage_key="b")
    keys = [await started(scenario) for _ in range(6)]
    work = BulkExports(scenario.services)
    room, ready = work._done, asyncio.Barrier(6)

    async def together(*given: Any) -> None:
        await ready.wait()
        await room(*given)

    work._done = together  # type: ignore[method-assign]
    assert await work.begin() == 6
    await work.finish()
    ended = [await scenario.one(BulkExport, key) for key in keys]
    assert sorted(each.failure or "" for each in ended) == ["", ""] + ["NO_ROOM"] * 4
    assert sum(each.size or 0 for each in await scenario.rows(BulkExport)) <= 2 * MEGABYTE
    assert stored_bytes(scenario) == first.size * 3
