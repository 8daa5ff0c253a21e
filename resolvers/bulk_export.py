"""Starts and ends a user's bulk exports and schedules; `resolvers/bulk_export_work.py` makes the files."""

import datetime as dt
from typing import Any

from db.models.bulk_export import BulkExport, ReportSchedule
from db.models.user import User
from domain.bulk_exports import MOST_A_DAY, MOST_SCHEDULES
from domain.enums import BulkExportStatus, ExportFormat, Interval, UserErrorCode
from domain.errors import reject
from domain.report_schedule import next_time
from domain.sentences import say
from repositories.bulk_export import exports_of, kept_bytes, schedules_of
from resolvers.core.rules import Owned
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.report_schedule import REPORT_SCHEDULE
from services.quotas import MEGABYTE

_DAY = dt.timedelta(days=1)


@mutation("bulkExportStart")
async def start(uow: UnitOfWork, *, operation: str, format: ExportFormat, variables: str | None = None) -> int:
    """Starts an export in the viewer's role; returns its key.

    Rejects with INVALID for the operation and its variables, TOO_MANY_ATTEMPTS beyond what a user may have.
    """
    uow.authorize()
    values = _variables(uow, operation, variables)
    await _lock_account(uow)
    running, started = await exports_of(uow.session, uow.viewer.user_key, uow.now - _DAY)
    if running >= uow.services.quotas.exports_viewer:
        raise reject(
            UserErrorCode.TOO_MANY_ATTEMPTS, say("BULK_EXPORTS_RUNNING", most=uow.services.quotas.exports_viewer)
        )
    if started >= MOST_A_DAY:
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, say("TOO_MANY_BULK_EXPORTS", most=MOST_A_DAY))
    await _require_room_for_file(uow)
    export = BulkExport(
        provider_id=uow.viewer.provider_key, user_id=uow.viewer.user_key, role=uow.viewer.role, operation=operation,
        variables=values, format=format, status=BulkExportStatus.RUNNING, started_at=uow.now, as_of=uow.now,
    )  # fmt: skip
    uow.session.add(export)
    await uow.session.flush()
    uow.audit("BulkExport", export.id, notify=False, operation=operation, format=format.value)

    async def wake() -> None:
        uow.services.export_started.set()

    uow.after_commit(wake)
    return export.id


@mutation("reportSchedule")
async def schedule(
    uow: UnitOfWork, *, operation: str, every: Interval, format: ExportFormat, variables: str | None = None
) -> int:
    """Schedules an export in the viewer's role; returns the key of the schedule. Rejects as `start` does."""
    uow.authorize()
    values = _variables(uow, operation, variables, "input")
    await _require_room(uow)
    added = ReportSchedule(
        provider_id=uow.viewer.provider_key, user_id=uow.viewer.user_key, role=uow.viewer.role, operation=operation,
        variables=values, every=every, format=format, next_at=next_time(every, uow.now), created_at=uow.now,
    )  # fmt: skip
    uow.session.add(added)
    await uow.session.flush()
    uow.audit("ReportSchedule", added.id, notify=False, operation=operation, every=every.value)
    return added.id


@mutation("reportScheduleEnd")
async def end(uow: UnitOfWork, *, id: str) -> int:
    """Ends one of the viewer's own schedules. Rejects with NOT_FOUND; again changes nothing."""
    found = await uow.get(ReportSchedule, id, "id")
    uow.require(REPORT_SCHEDULE, Owned())
    if found.ended_at is None:
        found.ended_at = uow.now
        uow.audit("ReportSchedule", found.id, notify=False)
    return found.id


@mutation("reportScheduleResume")
async def resume(uow: UnitOfWork, *, id: str) -> int:
    """Starts one of the viewer's own schedules again, from its next time on; one that has not ended is not changed.

    Rejects with NOT_FOUND, INVALID beyond what a user may have.
    """
    found = await uow.get(ReportSchedule, id, "id")
    uow.require(REPORT_SCHEDULE, Owned())
    if found.ended_at is not None:
        await _require_room(uow)
        found.ended_at, found.next_at = None, next_time(found.every, uow.now)
        uow.audit("ReportSchedule", found.id, notify=False)
    return found.id


async def _require_room(uow: UnitOfWork) -> None:
    """Locks the account. Rejects with INVALID if it has as many schedules as a user may have."""
    await _lock_account(uow)
    if await schedules_of(uow.session, uow.viewer.user_key) >= MOST_SCHEDULES:
        raise reject(UserErrorCode.INVALID, say("TOO_MANY_REPORT_SCHEDULES", most=MOST_SCHEDULES))


async def _require_room_for_file(uow: UnitOfWork) -> None:
    """Rejects with TOO_MANY_ATTEMPTS where the files of the viewer, or of the provider, take as much as they may."""
    quotas = uow.services.quotas
    own, of_provider = await kept_bytes(uow.session, uow.viewer.provider_key, uow.viewer.user_key)
    if own >= quotas.bulk_export_megabytes * MEGABYTE:
        most = quotas.bulk_export_megabytes
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, say("BULK_EXPORTS_FULL", most=most))
    if of_provider >= quotas.bulk_export_megabytes_provider * MEGABYTE:
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, say("NO_ROOM_FOR_BULK_EXPORTS"))


def _variables(uow: UnitOfWork, operation: str, text: str | None, *at: str) -> dict[str, Any]:
    """Returns the variables of an operation, parsed. Rejects with INVALID."""
    if operation not in uow.services.saved_queries:
        uow.add_error(UserErrorCode.INVALID, say("EXPORT_OPERATION_UNKNOWN"), *at, "operation")
        uow.raise_errors()
    values = uow.services.parse_report_variables(operation, text)
    if values is None:
        uow.add_error(UserErrorCode.INVALID, say("EXPORT_VARIABLES_WRONG"), *at, "variables")
        uow.raise_errors()
    assert values is not None
    return values


async def _lock_account(uow: UnitOfWork) -> None:
    # Two at once do not pass a limit together.
    await uow.session.get_one(User, uow.viewer.user_key, with_for_update={"key_share": True})
