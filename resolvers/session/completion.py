"""Completes sessions: attendance logs the time automatically, once, and an induction starts the learner's aims."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session, SessionFile
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from db.sql.off_the_job import exclusion_of
from domain import clock
from domain.enums import ActivityType, AimStatus, JobSetting, SessionStatus, SessionType, UserErrorCode
from domain.sentences import say
from repositories.aim import visible_aims
from repositories.session import aims_of_session
from repositories.time_log_entry import MINUTES_PER_DAY, minutes_on
from resolvers.aim.status import set_status
from resolvers.core.attachments import attachable_files
from resolvers.core.row_limit import check_row_limit
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.session import SessionState
from resolvers.rules.session import complete as complete_rule
from resolvers.session.booking import add_files, single_key


class _Attendance(TypedDict):
    attended: bool


class Outcome(_Attendance, total=False):
    """Whether a session took place, feedback, files, and how long it took."""

    feedback: str | None
    file_ids: Sequence[str] | None
    minutes: int | None


@mutation("sessionComplete")
async def complete(uow: UnitOfWork, *, id: str, **outcome: Unpack[Outcome]) -> int:
    """Records whether a session took place. Completing it again with the same outcome changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED, INVALID before it starts or for the fields, and CONFLICT where it was completed
    with the other outcome, was cancelled, or does not fit into the 24 hours of its day in the time log.
    """
    # Locked: of several requests that complete it at once, the second reads the outcome of the first.
    session = await uow.get(Session, id, "id")
    uow.authorize()
    done = await record_outcome(uow, session, outcome, ("id",), ("input",))
    uow.raise_errors()
    if done is not None:
        uow.audit("Session", session.id, learner_id=session.learner_id, aim_id=single_key(done.pop("aims")), **done)
    return session.id


async def record_outcome(
    uow: UnitOfWork, session: Session, outcome: Outcome, at: tuple[str, ...], input: tuple[str, ...]
) -> dict[str, Any] | None:
    """Records the outcome of a session, which is locked. Returns what the audit event says; None if nothing changed.

    Errors of the session are recorded at `at`, those of the fields below `input`.
    """
    attended = outcome["attended"]
    status = SessionStatus.ATTENDED if attended else SessionStatus.NOT_ATTENDED
    if session.status is status:
        return None
    for error in complete_rule(uow.viewer, SessionState.of(session), now=uow.now):
        # The rule names the fields of a single session; a line of a register has its own.
        field = at if error.field == ("id",) else (*input, "attended")
        uow.add_errors([dataclasses.replace(error, field=field)])
    if session.status is not SessionStatus.PLANNED:
        return None
    feedback = multi_line(uow, outcome.get("feedback") or "", *input, "feedback", required=False) or None
    starts_aims = attended and session.type is SessionType.INDUCTION
    aims = await aims_of_session(uow.session, session.id, locked=starts_aims)
    aim_ids = [aim.id for aim in aims]
    file_ids = outcome.get("file_ids") or ()
    files = await attachable_files(uow, file_ids, session.learner_id, aim_ids, *input, "fileIds")
    await check_row_limit(
        uow, SessionFile.session_id, session.id, "ATTACHED_FILES_FULL", *input, "fileIds", adding=len(files)
    )
    if attended and session.starts_at <= uow.now:
        minutes = _minutes(uow, session, outcome.get("minutes"), (*input, "minutes"))
        await _log_time(uow, session, aim_ids, minutes, at)
    if uow.has_errors:
        return None
    session.status, session.completed_at = status, uow.now
    session.feedback = feedback or session.feedback
    added = await add_files(uow, session, files, aim_ids)
    started = await _start_aims(uow, session, aims) if starts_aims else []
    return {"aims": aim_ids, "outcome": status.value, "files": added, "begun": started}


def _minutes(uow: UnitOfWork, session: Session, given: int | None, field: tuple[str, ...]) -> int:
    """Returns the minutes to log: the given ones or the planned length, never more than have passed since it began."""
    # An entry has at least one minute, also of a session that has only just begun.
    passed = max(int((uow.now - session.starts_at).total_seconds()) // 60, 1)
    if given is not None and not 1 <= given <= min(passed, MINUTES_PER_DAY):
        message = say("MINUTES_NOT_PASSED", most=min(passed, MINUTES_PER_DAY))
        uow.add_error(UserErrorCode.INVALID, message, *field)
    planned = int((session.ends_at - session.starts_at).total_seconds()) // 60
    return min(max(planned if given is None else given, 1), passed, MINUTES_PER_DAY)


async def _log_time(
    uow: UnitOfWork, session: Session, aim_ids: Sequence[int], minutes: int, at: tuple[str, ...]
) -> None:
    """Adds the session's time log entry; records an error where the day would have more than 24 hours.

    The session is unique among the entries, so that the database rejects a second one.
    """
    # Locked, because everything that logs time adds up the day's minutes under this lock.
    learner = await uow.session.get_one(Learner, session.learner_id, with_for_update={"key_share": True})
    day = clock.day_of(session.starts_at)
    logged = await minutes_on(uow.session, learner.id, day)
    if logged + minutes > MINUTES_PER_DAY:
        message = say("DAY_FULL_WITH_SESSION", day=day)
        uow.add_error(UserErrorCode.CONFLICT, message, *at)
    assessor = await uow.session.get_one(User, session.assessor_id)
    uow.session.add(
        TimeLogEntry(
            provider_id=session.provider_id, learner_id=learner.id, date=day,
            activity_type=ActivityType.FACE_TO_FACE_SESSION, job_setting=JobSetting.OFF_THE_JOB, minutes=minutes,
            aim_id=single_key(aim_ids), assessor_id=assessor.id,
            comments=f"Session {session.number} with {assessor.name}.", automatic=True, session_id=session.id,
            added_by_id=uow.viewer.user_key, added_at=uow.now,
            exclusion=exclusion_of(
                learner.id, single_key(aim_ids), day, JobSetting.OFF_THE_JOB, session.type
            ),
        )
    )  # fmt: skip


async def _start_aims(uow: UnitOfWork, session: Session, aims: Sequence[Aim]) -> list[int]:
    """Starts the aims that wait for the induction: the session's, or all that the viewer sees. Returns their keys."""
    if not aims:
        aims = await visible_aims(uow.session, uow.viewer, session.learner_id, locked=True)
    waiting = [aim for aim in aims if aim.status is AimStatus.AWAITING_INDUCTION]
    for aim in waiting:
        set_status(uow, aim, AimStatus.IN_TRAINING, clock.day_of(session.starts_at))
    return [aim.id for aim in waiting]
