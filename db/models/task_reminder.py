"""Reminders that were sent of tasks, so that the next one comes as many days later as the provider has set."""

import datetime as dt

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Timestamp, reference
from db.models.growth import Sweep
from db.models.personal_data import LearnerRows


class TaskReminder(Base):
    """When a user was last reminded of a task. Tasks have no rows: `task_key` is the key in their ids."""

    __tablename__ = "task_reminder"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    # Longer than the longest time between two reminders.
    __growth__ = Sweep(dt.timedelta(days=180), lambda table, before: table.sent_at < before)

    user_id: Mapped[int] = reference("user_account.id", index=False, primary_key=True)
    task_key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    provider_id: Mapped[int] = reference("provider.id")
    sent_at: Mapped[Timestamp] = mapped_column(index=True)
