"""Plans a session again that was completed or cancelled by mistake."""

from db.models.session import Session
from domain.enums import AimStatus, SessionStatus, SessionType
from repositories.aim import aims_by_key
from repositories.review import current_document, review_of_session
from repositories.session import aims_begun_by, aims_of_session
from repositories.time_log_entry import entry_of_session
from resolvers.aim.status import set_status
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.session import SESSION, SessionState
from resolvers.session.booking import check_still_free, single_key
from resolvers.session.notification import notify_learner


@mutation("sessionReopen")
async def reopen(uow: UnitOfWork, *, id: str, reason: str) -> int:
    """Plans a completed or cancelled session again; a planned one is not changed.

    The time that attendance logged is deleted, whether or not it was approved, and aims that the induction started wait
    for it again. Feedback and files stay. Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED without a reason, and CONFLICT
    where the learner or the assessor is booked at that time by now, or the session's progress review is issued.
    """
    session = await uow.get(Session, id, "id")
    uow.require(SESSION, SessionState.of(session), review_issued=await _review_issued(uow, session))
    if session.status is SessionStatus.PLANNED:
        return session.id
    reason = multi_line(uow, reason, "reason")
    if session.starts_at > uow.now:
        await check_still_free(uow, session)
    uow.raise_errors()
    previous = session.status
    session.status, session.completed_at = SessionStatus.PLANNED, None
    entry = await entry_of_session(uow.session, session.id)
    minutes = entry.minutes if entry is not None else 0
    if entry is not None:
        await uow.session.delete(entry)
    if previous is SessionStatus.CANCELLED:
        await notify_learner(uow, session)
    waiting = await _wait_for_induction(uow, session, reason) if previous is SessionStatus.ATTENDED else []
    aim_ids = [aim.id for aim in await aims_of_session(uow.session, session.id)]
    uow.audit(
        "Session", session.id, learner_id=session.learner_id, aim_id=single_key(aim_ids), reason=reason,
        fields=["status"], previous=previous.value, minutes_removed=minutes, waiting=waiting,
    )  # fmt: skip
    return session.id


async def _review_issued(uow: UnitOfWork, session: Session) -> bool:
    """Returns whether the session has a progress review that is issued."""
    review = await review_of_session(uow.session, session.id) if session.type is SessionType.FORMAL_REVIEW else None
    return review is not None and await current_document(uow.session, review.id) is not None


async def _wait_for_induction(uow: UnitOfWork, session: Session, reason: str) -> list[int]:
    """Puts the aims that this session's completion started back, if they are still in training. Returns their keys."""
    begun = await aims_begun_by(uow.session, session.id)
    aims = [aim for aim in await aims_by_key(uow.session, begun) if aim.status is AimStatus.IN_TRAINING]
    for aim in aims:
        set_status(uow, aim, AimStatus.AWAITING_INDUCTION, uow.today, reason)
    return [aim.id for aim in aims]
