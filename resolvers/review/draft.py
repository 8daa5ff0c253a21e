"""Starts a review for a formal review session, and records what learner, assessor and employer think of it."""

import datetime as dt
from collections.abc import Mapping
from typing import TypedDict, Unpack

from db.models.learner import Learner
from db.models.review import Review, ReviewAnswer
from db.models.session import Session
from db.models.user import User
from domain import clock
from domain.enums import EmployerAttendance, Role, UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.aim import first_start_of
from repositories.review import (
    answers_by_role,
    current_document,
    earlier_review_session,
    next_number,
    review_of_session,
)
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.review import REVIEW, Answer, ReviewState
from resolvers.rules.session import SESSION, SessionState

# The fields of the input, by column.
_WORDS = {
    "progress_since_last": "progressSinceLast",
    "concerns": "concerns",
    "changes_to_plan": "changesToPlan",
    "next_steps": "nextSteps",
}


class Said(TypedDict, total=False):
    """What a role says: what is missing is not changed, None empties it."""

    progress_since_last: str | None
    concerns: str | None
    changes_to_plan: str | None
    next_steps: str | None
    employer_attendance: EmployerAttendance | None


@mutation("reviewStart")
async def start(uow: UnitOfWork, *, session_id: str) -> int:
    """Starts the review of a formal review session, before or after it; starting it again changes nothing.

    Returns the review's key. Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for a session of another type, and CONFLICT
    for one that did not take place.
    """
    # Locked: of two requests that start it, the second finds the first.
    session = await uow.get(Session, session_id, "sessionId")
    uow.authorize()
    started = await review_of_session(uow.session, session.id)
    uow.require(SESSION, SessionState.of(session), has_review=started is not None)
    if started is not None:
        return started.id
    learner = await uow.session.get_one(Learner, session.learner_id, with_for_update={"key_share": True})
    earlier = await earlier_review_session(uow.session, uow.viewer, learner.id, session.starts_at)
    review = Review(
        provider_id=session.provider_id, learner_id=learner.id, session_id=session.id,
        number=await next_number(uow.session, learner.id), previous_session_id=earlier.id if earlier else None,
        covers_from=await _covers_from(uow, session, earlier), started_at=uow.now, updated_at=uow.now,
    )  # fmt: skip
    uow.session.add(review)
    await uow.session.flush()
    uow.audit("Review", review.id, learner_id=learner.id, session=session.id)
    return review.id


async def _covers_from(uow: UnitOfWork, session: Session, earlier: Session | None) -> dt.date:
    """Returns the day after the review before; without one, the first start of the learner's aims."""
    if earlier is not None:
        return clock.day_of(earlier.starts_at) + dt.timedelta(days=1)
    return await first_start_of(uow.session, session.learner_id) or clock.day_of(session.starts_at)


@mutation("reviewAnswer")
async def answer(uow: UnitOfWork, *, id: str, **said: Unpack[Said]) -> int:
    """Writes what the viewer's role says in a draft, and, by the assessor, whether the employer took part.

    Rejects with NOT_FOUND, NOT_ALLOWED where the viewer answered in another role or it is not the assessor who says
    whether the employer took part, REQUIRED without a word, INVALID for the fields, and CONFLICT once it is issued or
    where another person answered in that role.
    """
    review = await uow.get(Review, id, "id")
    uow.authorize()
    issued = await current_document(uow.session, review.id) is not None
    answers = await answers_by_role(uow.session, review.id)
    given = answers.get(uow.viewer.role)
    uow.require(REVIEW, ReviewState(review.learner_id, issued), answers=await _authors(uow, answers))
    attended = said.get("employer_attendance")
    if "employer_attendance" in said and uow.viewer.role is not Role.ASSESSOR:
        uow.add_error(UserErrorCode.NOT_ALLOWED, say("ASSESSOR_SAYS_ATTENDANCE"), "input", "employerAttendance")
    words = {
        column: multi_line(uow, said[column] or "", "input", field, required=False) or None  # type: ignore[literal-required]  # a name of `Said`
        for column, field in _WORDS.items()
        if column in said
    }
    uow.raise_errors()
    changed = _changed(given, words)
    if given is None and changed:
        owner = {"provider_id": review.provider_id, "learner_id": review.learner_id, "review_id": review.id}
        given = ReviewAnswer(**owner, role=uow.viewer.role)
        uow.session.add(given)
    if given is not None and changed:
        given.answered_by_id, given.answered_at = uow.viewer.user_key, uow.now
        for column in changed:
            setattr(given, column, words[column])
    if "employer_attendance" in said and review.employer_attendance is not attended:
        review.employer_attendance = attended
        changed.append("employer_attendance")
    elif given is None:
        raise reject(UserErrorCode.REQUIRED, say("ANSWER_EMPTY"), "input", "progressSinceLast")
    if changed:
        # Also where only an answer changed: who issues the review has read a version of it.
        review.updated_at = uow.now
        uow.audit("Review", review.id, learner_id=review.learner_id, fields=sorted(changed))
    return review.id


def _changed(given: ReviewAnswer | None, words: dict[str, str | None]) -> list[str]:
    """Returns the columns whose words differ from those of the answer."""
    return [column for column, text in words.items() if text != (getattr(given, column) if given else None)]


async def _authors(uow: UnitOfWork, answers: Mapping[Role, ReviewAnswer]) -> list[Answer]:
    """Returns who has answered; the name and the account are read of somebody else in the viewer's role only."""
    found = []
    for role, answer in answers.items():
        author = None
        if role is uow.viewer.role and answer.answered_by_id != uow.viewer.user_key:
            author = await uow.session.get_one(User, answer.answered_by_id)
        name, left = (author.name, author.archived_at is not None) if author else ("", False)
        found.append(Answer(role, answer.answered_by_id, name, left))
    return found
