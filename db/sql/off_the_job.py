"""Why minutes of the time log do not count, as SQL: `domain.off_the_job.exclusion`."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, case, func, literal, null, or_, select
from sqlalchemy.orm import aliased

from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.base import Key
from db.models.qualification import Qualification
from db.models.session import Session
from db.models.time_log_entry import TimeLogEntry
from domain.day_number import NO_DAY
from domain.enums import AimStatus, JobSetting, SessionType
from domain.enums import OffTheJobExclusionReason as Reason
from domain.off_the_job import EXCLUDED_SESSIONS
from domain.qualification_kind import ENGLISH_OR_MATHS


def is_english_or_maths() -> ColumnElement[bool]:
    """The condition that a qualification is English or mathematics, by the word for its kind."""
    return or_(*(func.lower(Qualification.kind).contains(part, autoescape=True) for part in ENGLISH_OR_MATHS))


def _reason(aim: Any, concerned: ColumnElement[bool], day: Any, english_or_maths: bool) -> ColumnElement[Any]:
    """Why minutes of a day do not count for the aims that meet a condition; null where they count, and without an aim.

    `english_or_maths`: whether a qualification of that kind is a reason. The rows of the aims are read once: PostgreSQL
    takes longer to plan several subqueries than to run them.
    """
    later = aliased(AimBreak)
    counted = aim.status != AimStatus.WITHDRAWN
    runs = and_(counted, aim.start_date <= day, or_(aim.actual_end_date.is_(None), aim.actual_end_date >= day))
    away = and_(
        later.aim_id == aim.id, later.start_date <= day, or_(later.returned_on.is_(None), later.returned_on > day)
    )
    # unscoped: facts about entries that the caller selects or adds
    # Everything but its own table comes from the statement around it, however deep this one is nested.
    on_break = select(later.id).where(away).correlate_except(later).exists()

    def some(condition: Any) -> Any:
        """Whether one of the aims meets a condition: 1 or 0, or null without an aim."""
        return func.max(case((condition, 1), else_=0))

    reasons: list[tuple[Any, Reason]] = [(some(counted) == 0, Reason.WITHDRAWN_AIM)]
    if english_or_maths:
        reasons.append((some(is_english_or_maths()) == 1, Reason.ENGLISH_OR_MATHS))
    not_ended = func.coalesce(aim.actual_end_date, literal(NO_DAY, Date)) >= day
    reasons += [
        (some(and_(counted, aim.start_date <= day)) == 0, Reason.BEFORE_START),
        (some(and_(counted, not_ended)) == 0, Reason.AFTER_END),
        (and_(some(and_(runs, on_break)) == 1, some(and_(runs, ~on_break)) == 0), Reason.ON_BREAK),
    ]
    reason = select(case(*((condition, literal(reason.value)) for condition, reason in reasons)))
    if english_or_maths:
        reason = reason.select_from(aim).join(Qualification, Qualification.id == aim.qualification_id)
    # unscoped: as above
    return reason.where(concerned).correlate_except(aim, Qualification).scalar_subquery()


def _reason_of(learner_id: Any, has_aim: bool, aim_id: Any, day: Any) -> ColumnElement[Any]:
    """The reason of an entry of one aim, or of one without an aim, which concerns all aims of the learner."""
    aim = aliased(Aim)
    return _reason(aim, aim.id == aim_id if has_aim else aim.learner_id == learner_id, day, has_aim)


def exclusion_of_entries() -> ColumnElement[Any]:
    """The reason of rows of `time_log_entry`, for an update of them."""
    # unscoped: a fact about the entry that the statement updates
    of_entry = select(Session.type).where(Session.id == TimeLogEntry.session_id)
    session_type = of_entry.correlate_except(Session).scalar_subquery()
    learner_id, aim_id, day = TimeLogEntry.learner_id, TimeLogEntry.aim_id, TimeLogEntry.date
    without_aim, of_one = (_reason_of(learner_id, has_aim, aim_id, day) for has_aim in (False, True))
    of_aims = case((aim_id.is_(None), without_aim), else_=of_one)
    reason = func.coalesce(of_aims, _of_session(session_type))
    return case((TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB, reason), else_=null())


def off_the_job_reason(learner_key: Any, aim_key: Any, day: Any) -> ColumnElement[Any]:
    """The reason of an off-the-job entry without a session, by expressions; `aim_key` is None for one without an aim.

    PostgreSQL would plan one statement for both cases each time, which takes a millisecond.
    """
    return _reason_of(learner_key, aim_key is not None, aim_key, day)


def exclusion_of(
    learner_key: int, aim_key: int | None, day: dt.date, setting: JobSetting, session: SessionType | None = None
) -> Any:
    """The reason of an entry that is added, as an expression of the insert, so that it costs no statement."""
    if setting is not JobSetting.OFF_THE_JOB:
        return None
    reason = _reason_of(literal(learner_key, Key), aim_key is not None, literal(aim_key, Key), literal(day, Date))
    return reason if session is None else func.coalesce(reason, _of_session(literal(session, Session.type.type)))


def _of_session(type_: Any) -> ColumnElement[Any]:
    """Why minutes of a session of this type do not count, by an expression."""
    return case(*((type_ == kind, literal(reason.value)) for kind, reason in EXCLUDED_SESSIONS.items()), else_=null())
