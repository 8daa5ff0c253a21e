"""Off-the-job rules: which activities are off the job by default, which minutes count, and how many are required.

`db/sql/off_the_job.py` has the reasons of exclusion as SQL; `tests/loaders/test_kpis.py` compares both.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.breaks import AimSpan
from domain.enums import ActivityType, JobSetting, OffTheJobExclusionReason, SessionType
from domain.progress import days_counted, share

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

_Reason = OffTheJobExclusionReason

# Sessions that are logged automatically and do not count, in the order in which the reasons are given.
EXCLUDED_SESSIONS: dict[SessionType, OffTheJobExclusionReason] = {
    SessionType.FORMAL_REVIEW: _Reason.PROGRESS_REVIEW,
    SessionType.INDUCTION: _Reason.INDUCTION,
    SessionType.EXAM: _Reason.EXAMINATION,
    SessionType.GATEWAY: _Reason.GATEWAY,
    SessionType.EXIT: _Reason.EXIT,
}


@dataclass(frozen=True, slots=True)
class LoggedAim:
    """What decides whether minutes of an aim count."""

    span: AimSpan
    withdrawn: bool
    english_or_maths: bool = False


def exclusion(
    day: dt.date, aims: Sequence[LoggedAim], session: SessionType | None = None
) -> OffTheJobExclusionReason | None:
    """Returns why off-the-job minutes of a day do not count, None where they do. Of several reasons the first holds.

    `aims`: the entry's aim alone or, for an entry without an aim, all aims of the learner: a reason holds if it holds
    for all of them. English and mathematics count for no aim, so they do not matter for an entry without one.
    """
    alone = len(aims) == 1
    if aims:
        counted = [aim.span for aim in aims if not aim.withdrawn]
        if not counted:
            return _Reason.WITHDRAWN_AIM
        if alone and aims[0].english_or_maths:
            return _Reason.ENGLISH_OR_MATHS
        if all(day < span.start for span in counted):
            return _Reason.BEFORE_START
        if all(span.ended is not None and day > span.ended for span in counted):
            return _Reason.AFTER_END
        running = [span for span in counted if span.runs_on(day)]
        if running and all(any(each.includes(day) for each in span.breaks) for span in running):
            return _Reason.ON_BREAK
    return None if session is None else EXCLUDED_SESSIONS.get(session)


def required_minutes(minimum_hours: int, floor_hours: int, prior_learning: int) -> int:
    """Returns the minutes that an aim requires: the minimum less prior learning (in minutes), never below the floor."""
    return max(minimum_hours * 60 - prior_learning, min(floor_hours, minimum_hours) * 60, 0)


def planned_minutes(agreed: int | None, floor_hours: int, prior_learning: int) -> int | None:
    """Returns the minutes that were agreed less prior learning, never below the floor; None where none were agreed."""
    return None if agreed is None else max(agreed - prior_learning, floor_hours * 60)


def expected_minutes(required: int, start: dt.date, planned_end: dt.date, today: dt.date, on_break: int = 0) -> int:
    """Returns the off-the-job minutes of one aim that are expected by `today`.

    That is the required minutes times the share of the planned days that have elapsed (`domain.progress.share`), days
    of breaks left out of both (`on_break`, as for `domain.progress.duration_tenths`).
    """
    elapsed = days_counted(start, min(today, planned_end)) - on_break
    return share(elapsed, days_counted(start, planned_end) - on_break, required)


def months_without_learning(spans: Sequence[AimSpan], learned: Collection[str], today: dt.date) -> list[str]:
    """Returns the months since the earliest start, as YYYY-MM, that are not in `learned`.

    The current month is left out, because it is not over, and so is a month in which every day after the start belongs
    to a break of every aim, or on whose days no aim runs.
    """
    if not spans:
        return []
    day = min(span.start for span in spans)
    months: dict[str, bool] = {}
    first_of_month = today.replace(day=1)
    while day < first_of_month:
        running = [span for span in spans if span.runs_on(day)]
        present = any(not any(each.includes(day) for each in span.breaks) for span in running)
        months[f"{day:%Y-%m}"] = months.get(f"{day:%Y-%m}", False) or present
        day += dt.timedelta(days=1)
    return [month for month, present in months.items() if present and month not in learned]
