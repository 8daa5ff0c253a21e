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


def _reason(learner_id: Any, aim_id: Any, day: Any, session_type: Any) -> ColumnElement[Any]:
    # unscoped: facts about entries that the caller selects or adds
    aim, later = aliased(Aim), aliased(AimBreak)
    concerned = or_(aim.id == aim_id, and_(aim_id.is_(None), aim.learner_id == learner_id))
    counted = and_(concerned, aim.status != AimStatus.WITHDRAWN)
    away = and_(
        later.aim_id == aim.id, later.start_date <= day, or_(later.returned_on.is_(None), later.returned_on > day)
    )
    runs = and_(counted, aim.start_date <= day, or_(aim.actual_end_date.is_(None), aim.actual_end_date >= day))

    def there_is(*conditions: Any) -> Any:
        return select(aim.id).where(*conditions).correlate_except(aim).exists()

    # Everything but its own table comes from the statement around it, however deep this one is nested.
    on_break = select(later.id).where(away).correlate_except(later).exists()
    functional = select(aim.id).join(Qualification, Qualification.id == aim.qualification_id)
    reasons: list[tuple[Any, Reason]] = [
        (and_(there_is(concerned), ~there_is(counted)), Reason.WITHDRAWN_AIM),
        (
            functional.where(aim.id == aim_id, is_english_or_maths()).correlate_except(aim, Qualification).exists(),
            Reason.ENGLISH_OR_MATHS,
        ),
        (and_(there_is(counted), ~there_is(counted, aim.start_date <= day)), Reason.BEFORE_START),
        (
            and_(
                there_is(counted),
                ~there_is(counted, func.coalesce(aim.actual_end_date, literal(NO_DAY, Date)) >= day),
            ),
            Reason.AFTER_END,
        ),
        (and_(there_is(runs, on_break), ~there_is(runs, ~on_break)), Reason.ON_BREAK),
    ]
    excluded: Any = [(condition, literal(reason.value)) for condition, reason in reasons]
    if session_type is not None:
        excluded += [(session_type == kind, literal(reason.value)) for kind, reason in EXCLUDED_SESSIONS.items()]
    return case(*excluded, else_=null())


def exclusion_of_entries() -> ColumnElement[Any]:
    """The reason of rows of `time_log_entry`, for an update of them."""
    # unscoped: a fact about the entry that the statement updates
    of_entry = select(Session.type).where(Session.id == TimeLogEntry.session_id)
    session_type = of_entry.correlate_except(Session).scalar_subquery()
    reason = _reason(TimeLogEntry.learner_id, TimeLogEntry.aim_id, TimeLogEntry.date, session_type)
    return case((TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB, reason), else_=null())


def off_the_job_reason(learner_key: Any, aim_key: Any, day: Any) -> ColumnElement[Any]:
    """The reason of an off-the-job entry without a session, by expressions."""
    return _reason(learner_key, aim_key, day, None)


def exclusion_of(
    learner_key: int, aim_key: int | None, day: dt.date, setting: JobSetting, session: SessionType | None = None
) -> Any:
    """The reason of an entry that is added, as an expression of the insert, so that it costs no statement."""
    if setting is not JobSetting.OFF_THE_JOB:
        return None
    kind = None if session is None else literal(session, Session.type.type)
    return _reason(literal(learner_key, Key), literal(aim_key, Key), literal(day, Date), kind)
