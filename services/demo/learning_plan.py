"""A learner's learning plan in the demo: sessions with their actions, and the time log."""

import datetime as dt
from typing import Any

from db.models import registry as tables
from domain import clock
from domain.enums import ActionKind, ActionStatus, ActivityType, JobSetting, Role, SessionStatus, SessionType
from services.demo import texts as words
from services.demo.bulk_rows import at
from services.demo.learner_builder import SAMPLES, Portfolio

_WEEKS_BETWEEN = 4
_REVIEW_EVERY = 3
_ON_THE_JOB = {ActivityType.TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB, ActivityType.REVIEW_FEEDBACK_OR_SUPPORT}
_USUAL = (SessionType.GENERAL, SessionType.OBSERVATION, SessionType.TELEPHONE, SessionType.WORKSHOP)


def add_sessions(portfolio: Portfolio, next_in_days: int | None) -> list[dict[str, Any]]:
    """The sessions from the induction on, numbered from 1, with actions and automatic time entries; gives their rows.

    `next_in_days`: when the next one is booked; None books none.
    """
    pick, today = portfolio.random, portfolio.today
    step = dt.timedelta(weeks=_WEEKS_BETWEEN * (3 if portfolio.lean else 1))
    sessions: list[dict[str, Any]] = []
    day = _working_day(portfolio.first_day)
    while day < portfolio.last_day - dt.timedelta(days=1):
        number = len(sessions) + 1
        if number == 1:
            kind, status = SessionType.INDUCTION, SessionStatus.ATTENDED
        elif number % _REVIEW_EVERY == 1:
            kind, status = SessionType.FORMAL_REVIEW, SessionStatus.ATTENDED
        else:
            kind = pick.choice(_USUAL)
            status = pick.choices(
                (SessionStatus.ATTENDED, SessionStatus.NOT_ATTENDED, SessionStatus.CANCELLED), (9, 1, 1)
            )[0]
        sessions.append(_add_session(portfolio, number, kind, status, day))
        day = _working_day(day + step + dt.timedelta(days=pick.randint(-3, 3)))
    if next_in_days is not None:
        kind = pick.choice(_USUAL) if sessions else SessionType.INDUCTION
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
    pick, rows, mine = portfolio.random, portfolio.rows, portfolio.mine
    starts = at(day, pick.randint(9, 15), pick.choice((0, 30)))
    ends = starts + dt.timedelta(minutes=30 if kind is SessionType.TELEPHONE else pick.choice((60, 90, 120)))
    attended = status is SessionStatus.ATTENDED
    notes, feedback = {
        SessionType.INDUCTION: (words.INDUCTION_NOTES, words.INDUCTION_FEEDBACK),
        SessionType.FORMAL_REVIEW: (words.PLANNING[0], words.REVIEW_FEEDBACK),
    }.get(kind, (pick.choice(words.PLANNING), pick.choice(words.FEEDBACK)))
    completed = ends + dt.timedelta(minutes=15)
    session = rows.add(
        tables.Session, number=number, type=kind, status=status, starts_at=starts, ends_at=ends,
        location="By telephone" if kind is SessionType.TELEPHONE else "At the workshop", assessor_id=portfolio.assessor,
        planning_notes=notes, feedback=feedback if attended else None,
        completed_at=completed if status in (SessionStatus.ATTENDED, SessionStatus.NOT_ATTENDED) else None, **mine,
    )  # fmt: skip
    for aim in portfolio.aims:
        if aim.assessor == portfolio.assessor and (
            number == 1 or kind is SessionType.FORMAL_REVIEW or pick.random() < 0.6
        ):
            rows.add(tables.SessionAim, session_id=session["id"], aim_id=aim.key, **mine)
    if not attended:
        return session
    portfolio.note(completed, portfolio.assessor, Role.ASSESSOR, "sessionComplete", "Session", session["id"])
    _log(
        portfolio, day, ActivityType.FACE_TO_FACE_SESSION, int((ends - starts).total_seconds()) // 60,
        f"Session {number} with the training adviser.", portfolio.assessor, completed, session=session["id"],
    )  # fmt: skip
    _add_actions(portfolio, session, completed)
    return session


def _add_actions(portfolio: Portfolio, session: dict[str, Any], set_at: dt.datetime) -> None:
    pick = portfolio.random
    for title, description, sample in pick.sample(words.ACTIONS, 1 if portfolio.lean else pick.randint(1, 2)):
        target = clock.day_of(set_at) + dt.timedelta(days=pick.choice((14, 21, 28)))
        late = (portfolio.today - target).days
        if not portfolio.active or late > 28 or (late > 0 and pick.random() < 0.6):
            status = ActionStatus.COMPLETE
        else:
            status = pick.choice((ActionStatus.OUTSTANDING, ActionStatus.IN_PROGRESS))
        add_action(portfolio, title, description, sample, target, status, set_at, session["id"])


def add_action(
    portfolio: Portfolio, title: str, description: str, sample: str | None, target: dt.date, status: ActionStatus,
    set_at: dt.datetime, session: int | None,
) -> dict[str, Any]:  # fmt: skip
    """An action with its file; responded to unless outstanding, completed by the assessor where it is complete."""
    pick, mine = portfolio.random, portfolio.mine
    latest = at(portfolio.settled, 17)
    # Whatever was done to it was done after it was set, and before now.
    responded = None if status is ActionStatus.OUTSTANDING else max(min(at(target, 18), latest), set_at)
    closed = responded + dt.timedelta(hours=20) if status is ActionStatus.COMPLETE else None
    aim = (
        next((aim for aim in portfolio.aims if aim.assessor == portfolio.assessor), None)
        if pick.random() < 0.7
        else None
    )
    action = portfolio.rows.add(
        tables.Action, session_id=session, aim_id=aim.key if aim else None,
        kind=ActionKind.ACTIVITY if sample else ActionKind.ACTION, title=title, description=description,
        target_date=target, status=status, accepts_evidence=sample is not None, set_by_id=portfolio.assessor,
        set_at=set_at,
        learner_feedback=pick.choice(words.ACTION_FEEDBACK) if responded else None,
        minutes_spent=pick.choice((None, 45, 60, 90, 120)) if responded else None, learner_submitted_at=responded,
        completed_by_id=portfolio.assessor if closed else None, completed_at=closed, **mine,
    )  # fmt: skip
    if sample and responded and aim and not portfolio.lean:
        # What the learner submitted next in this aim is what they submitted for the action.
        for evidence in portfolio.rows.of(tables.Evidence):
            if evidence["aim_id"] == aim.key and evidence["submitted_at"] > set_at and evidence["action_id"] is None:
                evidence["action_id"] = action["id"]
                break
    if sample and not portfolio.lean:
        file = portfolio.file(SAMPLES[sample](), set_at, portfolio.assessor)
        portfolio.rows.add(tables.ActionFile, action_id=action["id"], file_id=file["id"], **mine)
    portfolio.note(set_at, portfolio.assessor, Role.ASSESSOR, "actionSet", "Action", action["id"])
    if closed:
        portfolio.note(closed, portfolio.assessor, Role.ASSESSOR, "actionComplete", "Action", action["id"])
    return action


def add_time_log(portfolio: Portfolio) -> None:
    """Day release each week, and other learning besides; what is older than a month is mostly approved."""
    pick, learner = portfolio.random, portfolio.learner["user_id"]
    weeks = 3 if portfolio.lean else 1
    day = _working_day(portfolio.first_day + dt.timedelta(days=7))
    while day < portfolio.last_day:
        kinds = [ActivityType.TRAINER_LED_TRAINING]
        if pick.random() < (0.3 if portfolio.lean else 0.7):
            kinds.append(pick.choice(list(words.TIME_LOG)))
        for offset, kind in enumerate(kinds):
            minutes = 360 if kind is ActivityType.TRAINER_LED_TRAINING else pick.choice((20, 45, 60, 75, 90, 150))
            assessor = portfolio.assessor if kind is ActivityType.ASSESSMENT_OR_EXAMINATION else None
            date = day + dt.timedelta(days=offset)
            _log(
                portfolio,
                date,
                kind,
                minutes,
                pick.choice(words.TIME_LOG[kind]),
                learner,
                at(date, 19),
                assessor=assessor,
            )
        day += dt.timedelta(weeks=weeks)


def _log(
    portfolio: Portfolio, day: dt.date, kind: ActivityType, minutes: int, comments: str, by: int, added: dt.datetime,
    session: int | None = None, assessor: int | None = None,
) -> None:  # fmt: skip
    """One entry; one with a session is the automatic entry of that session, by its assessor."""
    pick = portfolio.random
    aim = pick.choice(portfolio.aims) if session is None and pick.random() < 0.7 else None
    unit = pick.choice(aim.qualification.units) if aim and pick.random() < 0.5 else None
    approved = session is None and (portfolio.today - day).days > 30 and pick.random() < 0.8
    approver = aim.assessor if aim else portfolio.assessor
    portfolio.rows.add(
        tables.TimeLogEntry, date=day, activity_type=kind,
        job_setting=JobSetting.ON_THE_JOB if kind in _ON_THE_JOB else JobSetting.OFF_THE_JOB, minutes=minutes,
        aim_id=aim.key if aim else None, unit_id=unit.key if unit else None,
        assessor_id=by if session is not None else assessor, comments=comments, automatic=session is not None,
        session_id=session, added_by_id=by, added_at=added, approved_by_id=approver if approved else None,
        approved_at=at(day + dt.timedelta(days=14), 10) if approved else None, **portfolio.mine,
    )  # fmt: skip


def _working_day(day: dt.date) -> dt.date:
    """The day itself, or the Monday after a weekend."""
    return day + dt.timedelta(days=7 - day.weekday()) if day.weekday() > 4 else day
