"""Bulk exports of saved operations, and their schedules."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, PrimaryKey, Timestamp, enum_column, reference, reference_without_constraint
from db.models.entity import Entity, Visibility
from db.models.growth import Sweep
from db.models.personal_data import DataSubject, LearnerRows, Reason, not_personal
from domain.bulk_exports import KEPT
from domain.enums import BulkExportStatus, ExportFormat, Interval, Role


class ReportSchedule(Base):
    """The schedule of a repeated bulk export; its owner gets an e-mail about each."""

    __tablename__ = "report_schedule"
    __entity__ = Entity("ReportSchedule", Visibility.OWNER_IN_ROLE)
    __growth__ = Sweep(dt.timedelta(days=90), lambda table, before: table.ended_at < before)
    __learner_rows__ = LearnerRows(deleted=True)
    __table_args__ = (Index("ix_report_schedule_next", "ended_at", "next_at"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    role: Mapped[Role] = enum_column(Role)
    operation: Mapped[str] = not_personal(Reason.CODE, String(100))
    variables: Mapped[dict[str, Any]] = mapped_column(JSON)
    every: Mapped[Interval] = enum_column(Interval)
    format: Mapped[ExportFormat] = enum_column(ExportFormat)
    next_at: Mapped[Timestamp]
    created_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp | None]


class BulkExport(Base):
    """The file of everything that a saved operation gives one user in one role, made by a process of its own.

    `leased_until`: the server process that makes it has said so until then; another takes it over afterwards.
    """

    __tablename__ = "bulk_export"
    __stays__ = "a file for some days, which can be made again"
    __entity__ = Entity("BulkExport", Visibility.OWNER_IN_ROLE)
    __growth__ = Sweep(KEPT, lambda table, before: table.started_at < before, content="storage_key")
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __table_args__ = (Index("ix_bulk_export_status", "status", "leased_until"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    role: Mapped[Role] = enum_column(Role)
    operation: Mapped[str] = not_personal(Reason.CODE, String(100))
    variables: Mapped[dict[str, Any]] = mapped_column(JSON)
    format: Mapped[ExportFormat] = enum_column(ExportFormat)
    status: Mapped[BulkExportStatus] = enum_column(BulkExportStatus)
    schedule_id: Mapped[int | None] = reference_without_constraint("report_schedule", nullable=True)
    started_at: Mapped[Timestamp]
    as_of: Mapped[Timestamp]
    ended_at: Mapped[Timestamp | None]
    row_count: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None] = not_personal(Reason.CODE, String(40))
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[Timestamp | None]
    lease: Mapped[str | None] = not_personal(Reason.CODE, String(40), exported=False)
    storage_key: Mapped[str | None] = not_personal(Reason.STORAGE_KEY, String(200), exported=False)
    size: Mapped[int | None] = mapped_column(BigInteger())
    sha256: Mapped[Digest | None]

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """Every export of the provider: any of them may hold the learner."""
        return cls.provider_id == subject.provider_key
