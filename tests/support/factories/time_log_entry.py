"""Entries of a learner's time log."""

from typing import Any

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from db.models.time_log_revision import TimeLogRevision
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

    async def time_log_revision(self, entry: TimeLogEntry, by: User) -> TimeLogRevision:
        """Adds an earlier state of an entry, a minute shorter."""
        return await self.add(
            TimeLogRevision(
                provider_id=entry.provider_id, learner_id=entry.learner_id, entry_id=entry.id, changed_by_id=by.id,
                changed_at=self.now, date=entry.date, minutes=entry.minutes - 1, job_setting=entry.job_setting,
                activity_type=entry.activity_type, comments="Learnt",
            )
        )  # fmt: skip
