"""A session is completed: attended, its time goes into the time log by itself, once; an induction begins aims."""

from collections.abc import Sequence

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain import clock
from domain.enums import ActivityType, AimStatus, JobSetting, SessionStatus, SessionType, UserErrorCode
from domain.errors import reject
from repositories.session import aims_of_session, visible_aims
from repositories.time_log_entry import MINUTES_A_DAY, minutes_on
from resolvers.core.attachments import attachable_files
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.session import add_files, only


@mutation("sessionComplete")
async def complete(
    uow: UnitOfWork, *, id: str, attended: bool, feedback: str | None = None, file_ids: Sequence[str] | None = None
) -> int:
    """Says whether a session took place. Completing it again with the same outcome changes nothing, whoever was first.

    Refuses with NOT_FOUND, NOT_ALLOWED, INVALID before it starts or for the fields, and CONFLICT where it was completed
    otherwise, was cancelled, or does not fit into the 24 hours of its day's time log.
    """
    # Locked: of those who complete it at once, the second reads what the first has made of it.
    session = await uow.get(Session, id, "id")
    uow.authorize()
    outcome = SessionStatus.ATTENDED if attended else SessionStatus.NOT_ATTENDED
    if session.status is outcome:
        return session.id
    if session.status is not SessionStatus.PLANNED:
        raise reject(UserErrorCode.CONFLICT, _otherwise(session), "id")
    if session.starts_at > uow.now:
        uow.add_error(
            UserErrorCode.INVALID,
            "The session has not started yet: complete it afterwards. If it will not take place, cancel it.",
            "input", "attended",
        )  # fmt: skip
    feedback = multi_line(uow, feedback or "", "input", "feedback", required=False) or None
    inducts = attended and session.type is SessionType.INDUCTION
    aims = await aims_of_session(uow.session, session.id, locked=inducts)
    aim_ids = [aim.id for aim in aims]
    files = await attachable_files(uow, file_ids or (), session.learner_id, aim_ids, "input", "fileIds")
    if attended:
        await _log(uow, session, aim_ids)
    uow.raise_errors()
    session.status, session.completed_at = outcome, uow.now
    session.feedback = feedback or session.feedback
    added = await add_files(uow, session, files, aim_ids)
    begun = await _begin(uow, session, aims) if inducts else []
    uow.audit(
        "Session", session.id, learner_id=session.learner_id, aim_id=only(aim_ids), outcome=outcome.value, files=added,
        begun=begun,
    )  # fmt: skip
    return session.id


def _otherwise(session: Session) -> str:
    if session.status is SessionStatus.CANCELLED:
        return "The session was cancelled. Book it again if it took place after all."
    done = "attended" if session.status is SessionStatus.ATTENDED else "not attended"
    return f"The session was completed already, as {done}, and that stands. Look at it again."


async def _log(uow: UnitOfWork, session: Session, aim_ids: Sequence[int]) -> None:
    """The session's entry in the time log; notes where the day has no room for it.

    Its session is unique in the table: even if two got here, one entry would be kept.
    """
    # The sum of a day is the learner's: whoever logs time holds this lock.
    learner = await uow.session.get_one(Learner, session.learner_id, with_for_update={"key_share": True})
    minutes = int((session.ends_at - session.starts_at).total_seconds()) // 60
    minutes = min(max(minutes, 1), MINUTES_A_DAY)
    day = clock.day_of(session.starts_at)
    logged = await minutes_on(uow.session, learner.id, day)
    if logged + minutes > MINUTES_A_DAY:
        uow.add_error(
            UserErrorCode.CONFLICT,
            f"The session's {minutes} minutes do not fit into the time log of {day.day} {day:%B %Y}: a day has 24 "
            "hours. Shorten or delete another entry of that day first.",
            "id",
        )  # fmt: skip
    assessor = await uow.session.get_one(User, session.assessor_id)
    uow.session.add(
        TimeLogEntry(
            provider_id=session.provider_id, learner_id=learner.id, date=day,
            activity_type=ActivityType.FACE_TO_FACE_SESSION, job_setting=JobSetting.OFF_THE_JOB, minutes=minutes,
            aim_id=only(aim_ids), assessor_id=assessor.id, comments=f"Session {session.number} with {assessor.name}.",
            automatic=True, session_id=session.id, added_by_id=uow.viewer.user_key, added_at=uow.now,
        )
    )  # fmt: skip


async def _begin(uow: UnitOfWork, session: Session, aims: Sequence[Aim]) -> list[int]:
    """An attended induction begins the aims that waited for it: those it is about, else those the viewer sees."""
    if not aims:
        aims = await visible_aims(uow.session, uow.viewer, session.learner_id, locked=True)
    waiting = [aim for aim in aims if aim.status is AimStatus.AWAITING_INDUCTION]
    for aim in waiting:
        aim.status = AimStatus.IN_TRAINING
    return [aim.id for aim in waiting]
