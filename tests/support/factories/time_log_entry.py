"""Entries of a learner's time log."""

from typing import Any

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain.enums import ActivityType, JobSetting
from tests.support.factories.base import RowFactory


class TimeLogEntryFactory(RowFactory):
    async def time_log_entry(
        self, learner: Learner, added_by: User, minutes: int, aim: Aim | None = None, **columns: Any
    ) -> TimeLogEntry:
        """Adds an entry of off-the-job time, today."""
        values = {
            "date": self.today,
            "activity_type": ActivityType.COACHING_OR_MENTORING,
            "job_setting": JobSetting.OFF_THE_JOB,
            "comments": "Learned",
            "added_by_id": added_by.id,
            "added_at": self.now,
            **columns,
        }
        return await self.add(
            TimeLogEntry(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                aim_id=aim.id if aim else None,
                minutes=minutes,
                **values,
            )
        )
