"""Off-the-job rules: the default job setting of each activity, and the minutes that are expected by a day."""

import datetime as dt

from domain.enums import ActivityType, JobSetting
from domain.off_the_job import DEFAULT_JOB_SETTING, expected_minutes

DAY = dt.timedelta(days=1)


def test_each_activity_type_has_the_default_job_setting_of_the_learner_guide() -> None:
    on = {ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB, ActivityType.REVIEW_FEEDBACK_OR_SUPPORT}
    assert {kind for kind, setting in DEFAULT_JOB_SETTING.items() if setting is JobSetting.ON_THE_JOB} == on
    assert set(DEFAULT_JOB_SETTING) == set(ActivityType)


def test_expected_minutes_are_clamped_and_rounded_half_up() -> None:
    start, end = dt.date(2026, 6, 1), dt.date(2026, 6, 4)
    days = [start + days * DAY for days in (-2, 0, 1, 3, 9)]
    assert [expected_minutes(10, start, end, today) for today in days] == [0, 3, 5, 10, 10]
    # An aim that ends before it starts has no days, so nothing is expected.
    assert [expected_minutes(10, start, start - days * DAY, start) for days in (1, 2)] == [0, 0]
