"""The viewer's bulk exports and schedules, in the role in use."""

import datetime as dt
import json

from sqlalchemy import Select

from db.cached_statement import cached_statement
from db.models.bulk_export import BulkExport, ReportSchedule
from domain.bulk_exports import FAILURES
from domain.enums import BulkExportStatus, ExportFormat, Interval, Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader
from loaders.core.read_session import ReadSession
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, row


@row(BulkExport)
class BulkExportRow(LightRow):
    """A bulk export. The last four are None until it is done."""

    key: int = column(BulkExport.id)
    operation: str = column(BulkExport.operation)
    variables: str = column(BulkExport.variables, convert=json.dumps)
    format: ExportFormat = column(BulkExport.format)
    status: BulkExportStatus = column(BulkExport.status)
    started_at: dt.datetime = column(BulkExport.started_at)
    as_of: dt.datetime = column(BulkExport.as_of)
    row_count: int = column(BulkExport.row_count)
    failure_code: str | None = column(BulkExport.failure)
    storage_key: str | None = column(BulkExport.storage_key)
    size: int | None = column(BulkExport.size)
    sha256: str | None = column(BulkExport.sha256)

    id = Identifier("BulkExport", "key")

    @computed("failure_code")
    def failure(self) -> str | None:
        """Returns why it failed, as a sentence."""
        return None if self.failure_code is None else FAILURES.get(self.failure_code, FAILURES["INTERNAL"])


@row(ReportSchedule)
class ReportScheduleRow(LightRow):
    """A schedule of a bulk export."""

    key: int = column(ReportSchedule.id)
    operation: str = column(ReportSchedule.operation)
    variables: str = column(ReportSchedule.variables, convert=json.dumps)
    every: Interval = column(ReportSchedule.every)
    format: ExportFormat = column(ReportSchedule.format)
    next_at: dt.datetime = column(ReportSchedule.next_at)
    ended_at: dt.datetime | None = column(ReportSchedule.ended_at)

    id = Identifier("ReportSchedule", "key")


class BulkExportLoader(EntityLoader[BulkExportRow]):
    """Loads the viewer's bulk exports by key."""

    row = BulkExportRow


class ReportScheduleLoader(EntityLoader[ReportScheduleRow]):
    """Loads the viewer's schedules by key."""

    row = ReportScheduleRow


@cached_statement
def _own_exports(role: Role) -> Select:
    return BulkExportRow.statement(role).order_by(BulkExport.id.desc())


@cached_statement
def _own_schedules(role: Role) -> Select:
    return ReportScheduleRow.statement(role).order_by(ReportSchedule.id.desc())


async def own_bulk_exports(reading: ReadSession) -> list[BulkExportRow]:
    """Returns the viewer's bulk exports in the role in use, newest first; old ones are deleted."""
    return await reading.read(BulkExportRow, _own_exports(reading.viewer.role))


async def own_report_schedules(reading: ReadSession) -> list[ReportScheduleRow]:
    """Returns the viewer's schedules in the role in use, newest first; those that ended long ago are deleted."""
    return await reading.read(ReportScheduleRow, _own_schedules(reading.viewer.role))
