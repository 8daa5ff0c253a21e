"""Off-the-job rules: the default job setting of each activity, and the minutes that are expected by a day."""

import datetime as dt

import pytest

from domain.breaks import AimSpan, BreakPeriod
from domain.enums import ActivityType, JobSetting, OffTheJobExclusionReason, SessionType
from domain.off_the_job import (
    DEFAULT_JOB_SETTING,
    LoggedAim,
    exclusion,
    expected_minutes,
    months_without_learning,
    planned_minutes,
    required_minutes,
)

DAY = dt.timedelta(days=1)
START, ENDED = dt.date(2026, 3, 2), dt.date(2026, 9, 30)
AWAY = BreakPeriod(dt.date(2026, 5, 4), dt.date(2026, 5, 11))
Reason = OffTheJobExclusionReason


def aim(start: dt.date = START, ended: dt.date | None = ENDED, *, withdrawn: bool = False, **values: bool) -> LoggedAim:
    return LoggedAim(AimSpan(start, ended, [AWAY]), withdrawn, **values)


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
    # Days on a break are in neither part: 2 of 4 days have elapsed, and then 1 of 3.
    assert [expected_minutes(12, start, end, start + DAY, on_break) for on_break in (0, 1)] == [6, 4]


@pytest.mark.parametrize(
    ("day", "aims", "reason"),
    [
        (START, [aim()], None), (ENDED, [aim()], None), (START - DAY, [aim()], Reason.BEFORE_START),
        (ENDED + DAY, [aim()], Reason.AFTER_END), (ENDED + DAY, [aim(ended=None)], None),
        (AWAY.start, [aim()], Reason.ON_BREAK), (AWAY.start - DAY, [aim()], None),
        (START - DAY, [aim(withdrawn=True)], Reason.WITHDRAWN_AIM),
        (START - DAY, [aim(english_or_maths=True)], Reason.ENGLISH_OR_MATHS),
        (START, [aim(english_or_maths=True, withdrawn=True)], Reason.WITHDRAWN_AIM),
        # Without an aim a reason has to hold for all of them, withdrawn ones left out; which aim it is nobody asks.
        (START, [aim(english_or_maths=True), aim(english_or_maths=True)], None),
        (START - DAY, [aim(), aim(START - DAY)], None), (START - DAY, [aim(), aim()], Reason.BEFORE_START),
        (ENDED + DAY, [aim(), aim(ended=ENDED + DAY)], None), (ENDED + DAY, [aim(), aim()], Reason.AFTER_END),
        (START, [aim(withdrawn=True), aim()], None), (START, [aim(withdrawn=True)] * 2, Reason.WITHDRAWN_AIM),
        (AWAY.start, [aim(), aim()], Reason.ON_BREAK),
        (AWAY.start, [aim(), LoggedAim(AimSpan(START, None, []), False)], None),
        (ENDED + DAY, [aim(), aim(ENDED + 2 * DAY, None)], None),
        (START, [], None),
    ],
)  # fmt: skip
def test_the_first_reason_that_holds(day: dt.date, aims: list[LoggedAim], reason: Reason | None) -> None:
    assert exclusion(day, aims) is reason
    # The reason of a session comes last.
    assert exclusion(day, aims, SessionType.FORMAL_REVIEW) is (reason or Reason.PROGRESS_REVIEW)


def test_sessions_that_do_not_count() -> None:
    reasons = {kind: exclusion(START, [aim()], kind) for kind in SessionType}
    assert {kind: reason for kind, reason in reasons.items() if reason} == {
        SessionType.FORMAL_REVIEW: Reason.PROGRESS_REVIEW, SessionType.INDUCTION: Reason.INDUCTION,
        SessionType.EXAM: Reason.EXAMINATION, SessionType.GATEWAY: Reason.GATEWAY, SessionType.EXIT: Reason.EXIT,
    }  # fmt: skip


def test_prior_learning_reduces_hours_down_to_the_floor() -> None:
    assert [required_minutes(400, 187, minutes) for minutes in (0, 60, 60 * 300)] == [24_000, 23_940, 11_220]
    # A floor above the minimum is none.
    assert required_minutes(100, 187, 60 * 50) == 6_000
    assert required_minutes(0, 0, 60) == required_minutes(0, 0, 0) == 0
    assert [planned_minutes(30_000, 187, minutes) for minutes in (0, 600, 60 * 400)] == [30_000, 29_400, 11_220]
    assert planned_minutes(None, 187, 600) is None


def test_months_without_learning_are_those_that_are_over_and_had_a_day_to_learn() -> None:
    month_away = BreakPeriod(dt.date(2026, 5, 1), dt.date(2026, 6, 1))
    span = AimSpan(dt.date(2026, 3, 31), dt.date(2026, 7, 31), [month_away])
    today = dt.date(2026, 10, 15)
    assert months_without_learning([span], [], today) == ["2026-03", "2026-04", "2026-06", "2026-07"]
    assert months_without_learning([span], ["2026-04"], today) == ["2026-03", "2026-06", "2026-07"]
    # The current month is not over, and a second aim has no break in May.
    other = AimSpan(dt.date(2026, 4, 30), None, [])
    assert months_without_learning([span, other], ["2026-06"], dt.date(2026, 6, 30)) == [
        "2026-03",
        "2026-04",
        "2026-05",
    ]
    assert months_without_learning([span], [], dt.date(2026, 4, 1)) == ["2026-03"]
    # One day to learn is enough, such as the last one of an aim, or the one between two breaks.
    for ended in (dt.date(2026, 8, 1), dt.date(2026, 9, 1)):
        days = AimSpan(dt.date(2026, 7, 31), ended, [BreakPeriod(dt.date(2026, 8, 1), ended)])
        assert months_without_learning([days], [], today) == ["2026-07", f"{ended:%Y-%m}"]
    assert months_without_learning([], [], today) == []
