"""Tasks: time to approve, confirm or log, reviews to book, and sessions that begin soon."""

from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, func, or_, select

from auth import policy, scope
from auth.scope import VIEWER_USER
from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.base import UtcDateTime
from db.models.learner import Learner
from db.models.session import Session, SessionAim
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from db.sql.day_number import day_number
from db.sql.reviews import due_day
from domain.enums import AimStatus, JobSetting, Role, SessionStatus, SessionType, TaskKind
from loaders.review_schedule import in_training, last_reviews
from loaders.session import next_planned
from loaders.tasks.source import (
    NOW,
    TODAY_NUMBER,
    columns,
    is_running,
    latest,
    not_own,
    of_running_aim,
    of_running_programme,
    of_visible_learner,
    source,
)

# Days without an entry after which a learner has the task to log what they learned.
QUIET_DAYS = 28
# Days before a session from which it is a task.
SOON_DAYS = 2
# Days before a review is due from which booking it is a task.
BOOKING_DAYS = 28
_QUIET_DAYS = bindparam("quiet_days", QUIET_DAYS, type_=Integer)
# The ends of today and of the next two days, in London.
_DAY_ENDS = [bindparam(f"day_{days}_ends", type_=UtcDateTime) for days in range(SOON_DAYS + 1)]


@source(7, TaskKind.APPROVE_TIME, "TimeLogEntry", Role.ASSESSOR)
def _approve(role: Role) -> Select:
    return _entries(role, TimeLogEntry.approved_at.is_(None))


@source(8, TaskKind.CONFIRM_TIME, "TimeLogEntry", *policy.MUTATIONS["timeLogEntryConfirm"])
def _confirm(role: Role) -> Select:
    return _entries(role, TimeLogEntry.employer_confirmed_at.is_(None))


def _entries(role: Role, waits: ColumnElement[bool]) -> Select:
    """Entries whose minutes count as off-the-job training; others need no approval."""
    return (
        select(*columns(TimeLogEntry.id, TimeLogEntry.learner_id, User.name, since_at=TimeLogEntry.added_at))
        .join_from(TimeLogEntry, Learner, Learner.id == TimeLogEntry.learner_id)
        .join(User, User.id == Learner.user_id)
        .where(
            scope.sees(role, TimeLogEntry),
            of_visible_learner(role, TimeLogEntry.learner_id),
            TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB,
            TimeLogEntry.exclusion.is_(None),
            waits,
            is_running(role, TimeLogEntry),
            *not_own(role, TimeLogEntry.learner_id),
        )
    )


@source(9, TaskKind.LOG_LEARNING, "Learner", Role.LEARNER)
def _log(role: Role) -> Select:
    """Learners in training without an entry for four weeks: since the last one, the start, or the last return."""
    entries = (
        select(TimeLogEntry.learner_id, func.max(TimeLogEntry.date).label("last"))
        .where(scope.sees(role, TimeLogEntry))
        .group_by(TimeLogEntry.learner_id)
        .subquery()
    )
    returns = (
        select(AimBreak.learner_id, func.max(AimBreak.returned_on).label("last"))
        .where(scope.sees(role, AimBreak))
        .group_by(AimBreak.learner_id)
        .subquery()
    )
    training = (
        select(Aim.learner_id, func.min(Aim.start_date).label("start"))
        .where(scope.sees_aim(role), Aim.status == AimStatus.IN_TRAINING)
        .group_by(Aim.learner_id)
        .subquery()
    )
    base = latest(*(day_number(day) for day in (training.c.start, entries.c.last, returns.c.last)))
    due = base + _QUIET_DAYS
    return (
        select(*columns(Learner.id, Learner.id, User.name, due_day=due, since_day=due))
        .join_from(Learner, User, User.id == Learner.user_id)
        .join(training, training.c.learner_id == Learner.id)
        .outerjoin(entries, entries.c.learner_id == Learner.id)
        .outerjoin(returns, returns.c.learner_id == Learner.id)
        .where(scope.sees(role, Learner), due <= TODAY_NUMBER)
    )


@source(10, TaskKind.SESSION_SOON, "Session", Role.LEARNER, Role.ASSESSOR)
def _soon(role: Role) -> Select:
    """The viewer's own planned sessions that begin today or in the next two days; `name`: who else takes part."""
    due = case(
        *((Session.starts_at < ends, TODAY_NUMBER + days) for days, ends in enumerate(_DAY_ENDS)),
        else_=TODAY_NUMBER,
    )
    # unscoped: a condition in addition to the scope of the statement
    about = select(SessionAim.session_id).where(SessionAim.session_id == Session.id)
    running = about.where(of_running_aim(role, SessionAim.aim_id))
    own = [Session.assessor_id == VIEWER_USER] if role is Role.ASSESSOR else []
    other = Learner.user_id if role is Role.ASSESSOR else Session.assessor_id
    return (
        select(*columns(Session.id, Session.learner_id, User.name, due_day=due, since_day=due - SOON_DAYS))
        .join_from(Session, Learner, Learner.id == Session.learner_id)
        .join(User, User.id == other)
        .where(
            scope.sees(role, Session),
            Session.status == SessionStatus.PLANNED,
            Session.starts_at >= NOW,
            Session.starts_at < _DAY_ENDS[-1],
            or_(running.exists(), ~about.exists() & of_running_programme(role, Session.learner_id)),
            *own,
            *not_own(role, Session.learner_id),
        )
    )


@source(12, TaskKind.BOOK_REVIEW, "Learner", Role.ASSESSOR)
def _book_review(role: Role) -> Select:
    """Learners whose formal review is due within four weeks or overdue, and is not booked."""
    last, training = last_reviews(role), in_training(role, (), ())
    due = due_day(last.c.at, training.c.weekly, training.c.monthly, training.c.returned)
    return (
        select(*columns(Learner.id, Learner.id, User.name, due_day=due, since_day=due - BOOKING_DAYS))
        .join_from(Learner, User, User.id == Learner.user_id)
        .join(training, training.c.learner_id == Learner.id)
        .outerjoin(last, last.c.learner_id == Learner.id)
        .where(
            scope.sees(role, Learner),
            due <= TODAY_NUMBER + BOOKING_DAYS,
            next_planned(role, SessionType.FORMAL_REVIEW).is_(None),
            *not_own(role, Learner.id),
        )
    )
