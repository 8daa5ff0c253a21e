"""Records that were deleted, of those that the viewer would see."""

import datetime as dt
from typing import Any

from sqlalchemy import Select, select

from auth import scope
from db.models.updated_at import DeletedRecord
from domain import clock, global_id
from domain.enums import Role
from domain.errors import BadArgument
from domain.updated_since import DELETIONS_KEPT
from loaders.core.filters import changed_since
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, row


@row(DeletedRecord)
class DeletedRecordRow(LightRow):
    """A record that was deleted: its type and key, and when."""

    key: int = column(DeletedRecord.id)
    record_type: str = column(DeletedRecord.record_type)
    record_key: int = column(DeletedRecord.record_key)
    deleted_at: dt.datetime = column(DeletedRecord.deleted_at)

    @computed("record_type", "record_key")
    def id(self) -> str:
        """Returns the id that the record had."""
        return global_id.encode(self.record_type, self.record_key)

    @classmethod
    def statement(cls, role: Role, *leading: Any, one: bool = False) -> Select:
        return cls.select(role, *leading).where(
            scope.sees_record(role, DeletedRecord.learner_id, DeletedRecord.aim_id), scope.of_provider(DeletedRecord)
        )

    @classmethod
    def statement_of(cls, role: Role, *columns: Any) -> Select:
        return (
            select(*columns)
            .select_from(DeletedRecord)
            .where(
                scope.sees_record(role, DeletedRecord.learner_id, DeletedRecord.aim_id),
                scope.of_provider(DeletedRecord),
            )
        )


class _DeletedSince(changed_since):
    """Records deleted at a time or later. Raises BadArgument for a time of which no deletions are kept."""

    def bound(self, name: str, value: Any, reading: ReadSession) -> dict[str, Any]:
        if value < clock.now() - DELETIONS_KEPT:
            raise BadArgument(name, f"Deletions are kept for {DELETIONS_KEPT.days} days. Load everything again.")
        return super().bound(name, value, reading)


DELETED_RECORDS = PagedList(
    DeletedRecordRow,
    Order("deleted_at", DeletedRecord.deleted_at, DeletedRecord.id, "deleted_at"),
    filters={"since": _DeletedSince(DeletedRecord.deleted_at)},
)
