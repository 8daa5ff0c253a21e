"""Off-the-job rules: which activities count by default, and the minutes that are expected by a day."""

import datetime as dt

from domain.enums import ActivityType, JobSetting
from domain.progress import days_counted

# From the learner guide. A time log entry may override its activity's setting.
DEFAULT_JOB_SETTING: dict[ActivityType, JobSetting] = {
    ActivityType.FACE_TO_FACE_SESSION: JobSetting.OFF_THE_JOB,
    ActivityType.TRAINER_LED_TRAINING: JobSetting.OFF_THE_JOB,
    ActivityType.DISTANCE_LEARNING_OR_SELF_STUDY: JobSetting.OFF_THE_JOB,
    ActivityType.COACHING_OR_MENTORING: JobSetting.OFF_THE_JOB,
    ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB: JobSetting.ON_THE_JOB,
    ActivityType.REVIEW_FEEDBACK_OR_SUPPORT: JobSetting.ON_THE_JOB,
    ActivityType.ASSESSMENT_OR_EXAMINATION: JobSetting.OFF_THE_JOB,
}


def expected_minutes(required: int, start: dt.date, planned_end: dt.date, today: dt.date) -> int:
    """Returns the off-the-job minutes of one aim that are expected by `today`.

    That is the required minutes times the share of the planned days that have elapsed, rounded half up.
    """
    planned = days_counted(start, planned_end)
    elapsed = min(max(days_counted(start, today), 0), planned)
    return (2 * required * elapsed + planned) // (2 * planned) if planned > 0 else 0
