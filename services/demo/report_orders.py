"""What the demo's Master Admin has ordered: a bulk export, which the server makes when it starts, and a schedule."""

from sqlalchemy import select

from db.database import Database
from db.models.bulk_export import BulkExport, ReportSchedule
from db.models.user import User
from domain import clock
from domain.enums import BulkExportStatus, ExportFormat, Interval, Role
from domain.report_schedule import next_time

_USERNAME = "master.admin"


async def order_reports(database: Database) -> None:
    """Adds the export and the schedule."""
    now = clock.now()
    async with database.writing() as session:
        user = (await session.execute(select(User).where(User.username == _USERNAME))).scalar_one()
        owner = {"provider_id": user.provider_id, "user_id": user.id, "role": Role.MASTER_ADMIN}
        export = BulkExport(
            **owner, operation="learner_criteria", variables={}, format=ExportFormat.PARQUET,
            status=BulkExportStatus.RUNNING, started_at=now, as_of=now,
        )  # fmt: skip
        schedule = ReportSchedule(
            **owner, operation="reviews_due", variables={}, every=Interval.WEEK, format=ExportFormat.XLSX,
            next_at=next_time(Interval.WEEK, now), created_at=now,
        )  # fmt: skip
        session.add_all([export, schedule])
