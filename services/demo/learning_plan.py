"""Adds a learner's learning plan: sessions with their actions, and the time log."""

import datetime as dt
from typing import Any

from db.models.action import Action, ActionFile
from db.models.evidence import Evidence
from db.models.session import Session, SessionAim
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain.clock import london_time
from domain.enums import (
    ActionKind,
    ActionStatus,
    ActivityType,
    AimStatus,
    JobSetting,
    Role,
    SessionStatus,
    SessionType,
)
from services.demo import texts
from services.demo.portfolio import AimPlan, Portfolio
from services.demo.sample_files import sample

_WEEKS_BETWEEN_SESSIONS = 4
# Every third session is a review.
_REVIEW_EVERY = 3
# Days after which the employer has confirmed what was logged.
_CONFIRMED_AFTER = 35
# Minutes.
_DAY_OF_TRAINING = 360
_ON_THE_JOB = {ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB, ActivityType.REVIEW_FEEDBACK_OR_SUPPORT}
_ORDINARY = (SessionType.GENERAL, SessionType.OBSERVATION, SessionType.TELEPHONE, SessionType.WORKSHOP)


def add_sessions(portfolio: Portfolio, next_in_days: int | None) -> list[dict[str, Any]]:
    """Adds the sessions from the induction on, with actions and automatic time entries; returns their rows.

    `next_in_days` is when the next session is booked; None books none.
    """
    rng, today = portfolio.rng, portfolio.today
    step = dt.timedelta(weeks=_WEEKS_BETWEEN_SESSIONS * (3 if portfolio.lean else 1))
    sessions: list[dict[str, Any]] = []
    day = _working_day(portfolio.first_day)
    while day < portfolio.last_day - dt.timedelta(days=1):
        number = len(sessions) + 1
        if number == 1:
            kind, status = SessionType.INDUCTION, SessionStatus.ATTENDED
        elif number % _REVIEW_EVERY == 1 and portfolio.reviewed:
            kind, status = SessionType.FORMAL_REVIEW, SessionStatus.ATTENDED
        else:
            kind = rng.choice(_ORDINARY)
            status = rng.choices(
                (SessionStatus.ATTENDED, SessionStatus.NOT_ATTENDED, SessionStatus.CANCELLED), (9, 1, 1)
            )[0]
        sessions.append(_add_session(portfolio, number, kind, status, day))
        day = _working_day(day + step + dt.timedelta(days=rng.randint(-3, 3)))
    if next_in_days is not None:
        kind = rng.choice(_ORDINARY) if sessions else SessionType.INDUCTION
        for number, days in enumerate((next_in_days, next_in_days + 28), len(sessions) + 1):
            sessions.append(
                _add_session(
                    portfolio, number, kind, SessionStatus.PLANNED, _working_day(today + dt.timedelta(days=days))
                )
            )
            kind = SessionType.FORMAL_REVIEW
    portfolio.learner["last_session_number"] = len(sessions)
    return sessions


def _add_session(
    portfolio: Portfolio, number: int, kind: SessionType, status: SessionStatus, day: dt.date
) -> dict[str, Any]:
    rng, rows, owner = portfolio.rng, portfolio.rows, portfolio.owner
    starts = london_time(day, rng.randint(9, 15), rng.choice((0, 30)))
    ends = starts + dt.timedelta(minutes=30 if kind is SessionType.TELEPHONE else rng.choice((60, 90, 120)))
    attended = status is SessionStatus.ATTENDED
    notes, feedback = {
        SessionType.INDUCTION: (texts.INDUCTION_NOTES, texts.INDUCTION_FEEDBACK),
        SessionType.FORMAL_REVIEW: (texts.PLANNING[0], texts.REVIEW_FEEDBACK),
    }.get(kind, (rng.choice(texts.PLANNING), rng.choice(texts.FEEDBACK)))
    completed = ends + dt.timedelta(minutes=15)
    session = rows.add(
        Session, number=number, type=kind, status=status, starts_at=starts, ends_at=ends,
        location="By telephone" if kind is SessionType.TELEPHONE else "At the workshop", assessor_id=portfolio.assessor,
        planning_notes=notes, feedback=feedback if attended else None,
        completed_at=completed if status in (SessionStatus.ATTENDED, SessionStatus.NOT_ATTENDED) else None, **owner,
    )  # fmt: skip
    for aim in portfolio.aims:
        if aim.assessor == portfolio.assessor and (
            number == 1 or kind is SessionType.FORMAL_REVIEW or rng.random() < 0.6
        ):
            rows.add(SessionAim, session_id=session["id"], aim_id=aim.key, **owner)
    if not attended:
        return session
    portfolio.log(completed, portfolio.assessor, Role.ASSESSOR, "sessionComplete", "Session", session["id"])
    _add_time_entry(
        portfolio, day, ActivityType.FACE_TO_FACE_SESSION, int((ends - starts).total_seconds()) // 60,
        f"Session {number} with the training adviser.", portfolio.assessor, completed, session=session["id"],
    )  # fmt: skip
    _add_actions(portfolio, session, completed)
    return session


def _add_actions(portfolio: Portfolio, session: dict[str, Any], set_at: dt.datetime) -> None:
    rng = portfolio.rng
    for title, description, key in rng.sample(texts.ACTIONS, 1 if portfolio.lean else rng.randint(1, 2)):
        target = clock.day_of(set_at) + dt.timedelta(days=rng.choice((14, 21, 28)))
        late = (portfolio.today - target).days
        if not portfolio.active or late > 28 or (late > 0 and rng.random() < 0.6):
            status = ActionStatus.COMPLETE
        else:
            status = rng.choice((ActionStatus.OUTSTANDING, ActionStatus.IN_PROGRESS))
        add_action(portfolio, title, description, key, target, status, set_at, session["id"])


def add_action(
    portfolio: Portfolio, title: str, description: str, sample_key: str | None, target: dt.date, status: ActionStatus,
    set_at: dt.datetime, session: int | None,
) -> dict[str, Any]:  # fmt: skip
    """Adds an action with its file, the learner's response and the assessor's completion, as `status` says."""
    rng, owner = portfolio.rng, portfolio.owner
    latest = london_time(portfolio.settled, 17)
    # After it was set, and in the past.
    responded = None if status is ActionStatus.OUTSTANDING else max(min(london_time(target, 18), latest), set_at)
    completed = responded + dt.timedelta(hours=20) if responded and status is ActionStatus.COMPLETE else None
    aim = (
        next((aim for aim in portfolio.aims if aim.assessor == portfolio.assessor), None)
        if rng.random() < 0.7
        else None
    )
    action = portfolio.rows.add(
        Action, session_id=session, aim_id=aim.key if aim else None,
        kind=ActionKind.ACTIVITY if sample_key else ActionKind.ACTION, title=title, description=description,
        target_date=target, status=status, accepts_evidence=sample_key is not None, set_by_id=portfolio.assessor,
        set_at=set_at,
        learner_feedback=rng.choice(texts.ACTION_FEEDBACK) if responded else None,
        minutes_spent=rng.choice((None, 45, 60, 90, 120)) if responded else None, learner_submitted_at=responded,
        completed_by_id=portfolio.assessor if completed else None, completed_at=completed, **owner,
    )  # fmt: skip
    if sample_key and responded and aim and not portfolio.lean:
        # The next evidence in this aim becomes the evidence for the action.
        for evidence in portfolio.rows.of(Evidence):
            if evidence["aim_id"] == aim.key and evidence["submitted_at"] > set_at and evidence["action_id"] is None:
                evidence["action_id"] = action["id"]
                break
    if sample_key and not portfolio.lean:
        file = portfolio.add_file(sample(sample_key), set_at, portfolio.assessor)
        portfolio.rows.add(ActionFile, action_id=action["id"], file_id=file["id"], **owner)
    portfolio.log(set_at, portfolio.assessor, Role.ASSESSOR, "actionSet", "Action", action["id"])
    if completed:
        portfolio.log(completed, portfolio.assessor, Role.ASSESSOR, "actionComplete", "Action", action["id"])
    return action


def add_time_log(portfolio: Portfolio) -> None:
    """Adds day release for each week and some other learning.

    Most entries older than a month are approved, and the manager has confirmed those older than five weeks.
    """
    rng, learner = portfolio.rng, portfolio.learner["user_id"]
    weeks = 3 if portfolio.lean else 1
    day = _working_day(portfolio.first_day + dt.timedelta(days=7))
    while day < portfolio.last_day:
        kinds = [ActivityType.TRAINER_LED_TRAINING]
        if rng.random() < (0.3 if portfolio.lean else 0.7):
            kinds.append(rng.choice(list(texts.TIME_LOG)))
        for offset, kind in enumerate(kinds):
            minutes = (
                _DAY_OF_TRAINING if kind is ActivityType.TRAINER_LED_TRAINING else rng.choice((20, 45, 60, 75, 90, 150))
            )
            assessor = portfolio.assessor if kind is ActivityType.ASSESSMENT_OR_EXAMINATION else None
            date = day + dt.timedelta(days=offset)
            _add_time_entry(
                portfolio, date, kind, minutes, rng.choice(texts.TIME_LOG[kind]), learner, london_time(date, 19),
                assessor=assessor,
            )  # fmt: skip
        day += dt.timedelta(weeks=weeks)
    if portfolio.aims[0].status is AimStatus.COMPLETED and not portfolio.lean:
        _add_missing_hours(portfolio)


def off_the_job_minutes(portfolio: Portfolio, until: dt.date) -> int:
    """The minutes of off-the-job learning up to a day."""
    return sum(row["minutes"] for row in _off_the_job(portfolio, until))


def _off_the_job(portfolio: Portfolio, until: dt.date) -> list[dict[str, Any]]:
    return [
        row
        for row in portfolio.rows.of(TimeLogEntry)
        if row["learner_id"] == portfolio.learner["id"]
        and row["date"] <= until
        and row["job_setting"] is JobSetting.OFF_THE_JOB
    ]


def required_minutes(portfolio: Portfolio) -> int:
    """The minutes of off-the-job learning that the programme requires."""
    return sum(aim.qualification.off_the_job_hours for aim in portfolio.aims) * 60


def _add_missing_hours(portfolio: Portfolio) -> None:
    """Adds days of training, spread over the programme: who has completed it has the hours that it requires.

    Learning of other aims may not count (English and mathematics), nor learning outside the dates of the aim.
    """
    main, learner, kind = portfolio.aims[0], portfolio.learner["user_id"], ActivityType.TRAINER_LED_TRAINING
    first, last = main.start, min(portfolio.last_day, main.planned_end)
    counted = sum(
        row["minutes"]
        for row in _off_the_job(portfolio, last)
        if row["aim_id"] in (None, main.key) and row["date"] >= first
    )
    # A tenth more: the induction and reviews do not count either.
    count = max((required_minutes(portfolio) * 11 // 10 - counted) // _DAY_OF_TRAINING, 0)
    # What is chosen afterwards does not depend on these entries.
    state = portfolio.rng.getstate()
    for number in range(1, count + 1):
        day = min(_working_day(first + (last - first) * number // (count + 1)), last)
        comments = texts.TIME_LOG[kind][number % len(texts.TIME_LOG[kind])]
        at = london_time(day, 19)
        _add_time_entry(portfolio, day, kind, _DAY_OF_TRAINING, comments, learner, at, aim=main)
    portfolio.rng.setstate(state)


def _add_time_entry(
    portfolio: Portfolio, day: dt.date, kind: ActivityType, minutes: int, comments: str, by: int, added: dt.datetime,
    session: int | None = None, assessor: int | None = None, aim: AimPlan | None = None,
) -> None:  # fmt: skip
    """Adds an entry. With `session` it is the automatic entry of that session, by its assessor."""
    rng = portfolio.rng
    if aim is None and session is None and rng.random() < 0.7:
        aim = rng.choice(portfolio.aims)
    unit = rng.choice(aim.qualification.units) if aim and rng.random() < 0.5 else None
    approved = session is None and (portfolio.today - day).days > 30 and rng.random() < 0.8
    approver = aim.assessor if aim else portfolio.assessor
    confirmed = bool(portfolio.managers) and (portfolio.today - day).days > _CONFIRMED_AFTER
    portfolio.rows.add(
        TimeLogEntry, date=day, activity_type=kind,
        job_setting=JobSetting.ON_THE_JOB if kind in _ON_THE_JOB else JobSetting.OFF_THE_JOB, minutes=minutes,
        aim_id=aim.key if aim else None, unit_id=unit.key if unit else None,
        assessor_id=by if session is not None else assessor, comments=comments, automatic=session is not None,
        session_id=session, added_by_id=by, added_at=added, approved_by_id=approver if approved else None,
        approved_at=london_time(day + dt.timedelta(days=14), 10) if approved else None,
        employer_confirmed_by_id=portfolio.managers[0] if confirmed else None,
        employer_confirmed_at=london_time(day + dt.timedelta(days=16), 17) if confirmed else None, **portfolio.owner,
    )  # fmt: skip


def _working_day(day: dt.date) -> dt.date:
    """The day, or the following Monday if it is on a weekend."""
    return day + dt.timedelta(days=7 - day.weekday()) if day.weekday() > 4 else day
