"""Reads of progress reviews within a write transaction."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.base import Key
from db.models.review import Review, ReviewAnswer, ReviewDocument
from db.models.session import Session
from db.models.signature_request import SignatureRequest
from domain.enums import Role, SessionStatus, SessionType


async def review_of_session(session: AsyncSession, session_key: int) -> Review | None:
    """Returns the review of a session, if it was started."""
    # unscoped: the session was read within the viewer's scope
    found = await session.scalars(select(Review).where(Review.session_id == session_key))
    return found.one_or_none()


async def next_number(session: AsyncSession, learner_key: int) -> int:
    """Returns the number of a learner's next review. The caller has locked the learner."""
    # unscoped: the learner was read within the viewer's scope
    statement = select(func.coalesce(func.max(Review.number), 0)).where(Review.learner_id == learner_key)
    return (await session.execute(statement)).scalar_one() + 1


@cached_statement
def _earlier(role: Role) -> Select[Session]:
    return (
        select(Session)
        .where(
            Session.learner_id == bindparam("learner", type_=Key),
            Session.type == SessionType.FORMAL_REVIEW,
            Session.status == SessionStatus.ATTENDED,
            Session.starts_at < bindparam("before", type_=Session.starts_at.type),
            scope.sees(role, Session),
        )
        .order_by(Session.starts_at.desc(), Session.id.desc())
        .limit(1)
    )


async def earlier_review_session(
    session: AsyncSession, viewer: Viewer, learner_key: int, before: dt.datetime
) -> Session | None:
    """Returns the session of the last formal review before a time that the learner attended and the viewer sees."""
    parameters = {**scope.viewer_params(viewer), "learner": learner_key, "before": before}
    return (await session.scalars(await _earlier(viewer.role), parameters)).one_or_none()


async def answers_by_role(session: AsyncSession, review_key: int) -> dict[Role, ReviewAnswer]:
    """Returns what each role has said in a review."""
    # unscoped: the review was read within the viewer's scope
    answers = await session.scalars(select(ReviewAnswer).where(ReviewAnswer.review_id == review_key))
    return {answer.role: answer for answer in answers}


@dataclass(frozen=True, slots=True)
class CurrentDocument:
    """The document of an issued review, and the link from the review to it."""

    link: ReviewDocument
    request: SignatureRequest


async def current_document(session: AsyncSession, review_key: int) -> CurrentDocument | None:
    """Returns the document of an issued review, its request locked; None of a draft."""
    # unscoped: the review was read within the viewer's scope
    statement = (
        select(ReviewDocument, SignatureRequest)
        .join(SignatureRequest, SignatureRequest.id == ReviewDocument.request_id)
        .where(ReviewDocument.review_id == review_key, ReviewDocument.replaced_at.is_(None))
        .with_for_update(of=SignatureRequest, key_share=True)
    )
    found = (await session.execute(statement)).one_or_none()
    return None if found is None else CurrentDocument(found.ReviewDocument, found.SignatureRequest)


async def is_document_of_review(session: AsyncSession, request_key: int) -> bool:
    """Returns whether a signature request is the current document of a review."""
    # unscoped: the request was read within the viewer's scope
    statement = select(ReviewDocument.request_id).where(
        ReviewDocument.request_id == request_key, ReviewDocument.replaced_at.is_(None)
    )
    return (await session.execute(statement)).first() is not None
