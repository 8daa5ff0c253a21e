"""Bulk exports and schedules of a user in a role."""

from typing import Any

from db.models.bulk_export import BulkExport, ReportSchedule
from db.models.user import User
from domain.enums import BulkExportStatus, ExportFormat, Interval, Role
from tests.support.factories.base import DAY, RowFactory


class BulkExportFactory(RowFactory):
    async def bulk_export(self, user: User, role: Role, **columns: Any) -> BulkExport:
        """Adds an export that is done, whose file is not stored."""
        values = {
            "operation": "reviews_due", "variables": {}, "format": ExportFormat.CSV, "status": BulkExportStatus.DONE,
            "started_at": self.now, "as_of": self.now, "ended_at": self.now, "row_count": 1,
            "storage_key": f"export{user.id}", "size": 1, "sha256": "a" * 64, **columns,
        }  # fmt: skip
        return await self.add(BulkExport(provider_id=user.provider_id, user_id=user.id, role=role, **values))

    async def report_schedule(self, user: User, role: Role, **columns: Any) -> ReportSchedule:
        """Adds a schedule that ended today."""
        values = {
            "operation": "reviews_due", "variables": {}, "every": Interval.WEEK, "format": ExportFormat.CSV,
            "next_at": self.now + DAY, "created_at": self.now, "ended_at": self.now, **columns,
        }  # fmt: skip
        return await self.add(ReportSchedule(provider_id=user.provider_id, user_id=user.id, role=role, **values))
