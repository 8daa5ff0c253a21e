"""When a record last changed, and which records were deleted: for programs that load what is new since their last load.

`db/updated_at_triggers.py` derives from the classes which rows move which record, and has the database do it.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Column, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Key, PrimaryKey, Timestamp, UtcDateTime, reference_without_constraint
from db.models.growth import Sweep
from db.models.personal_data import Reason, not_personal
from domain import clock
from domain.updated_since import DELETIONS_KEPT

_MOVES = {"moves": True}


def updated_at_column() -> Any:
    """The column with the time of the last change of anything of the record, which triggers of the database set."""
    return mapped_column(UtcDateTime(), default=clock.now, info=_MOVES)


def is_updated_at(column: Column[Any]) -> bool:
    """Whether a column was made by `updated_at_column`."""
    return bool(column.info.get("moves"))


class DeletedRecord(Base):
    """A record that was deleted: its type, its key and whose it was, so that those who saw it learn of it."""

    __tablename__ = "deleted_record"
    __growth__ = Sweep(DELETIONS_KEPT + dt.timedelta(days=7), lambda table, before: table.deleted_at < before)
    __table_args__ = (Index("ix_deleted_record_provider", "provider_id", "deleted_at", "id"),)

    id: Mapped[PrimaryKey]
    # No foreign keys: each row would lock those of the provider and the learner.
    provider_id: Mapped[int] = mapped_column(Key)
    learner_id: Mapped[int] = reference_without_constraint("learner", index=True)
    aim_id: Mapped[int | None] = reference_without_constraint("aim", nullable=True)
    record_type: Mapped[str] = not_personal(Reason.CODE, String(40))
    record_key: Mapped[int] = mapped_column(Key)
    deleted_at: Mapped[Timestamp]
