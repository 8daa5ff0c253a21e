"""Tasks: draft reviews that wait for an answer in the viewer's role."""

from sqlalchemy import Select, case, exists, or_, select

from auth import policy, scope
from auth.scope import EMPLOYERS, VIEWER_USER
from db.models.review import Review, ReviewAnswer, ReviewDocument
from db.models.session import Session
from domain.enums import Role, SessionStatus, TaskKind
from loaders.tasks.source import NOW, columns, not_own, of_running_programme, source

# A review of another session is never issued.
_HELD = (SessionStatus.PLANNED, SessionStatus.ATTENDED)
_WAITS_SINCE = case((Review.started_at > Session.starts_at, Review.started_at), else_=Session.starts_at)


@source(14, TaskKind.ANSWER_REVIEW, "Review", *policy.MUTATIONS["reviewAnswer"])
def _answer(role: Role) -> Select:
    """Drafts whose session has begun, since then or, if that is later, since they were started or last reopened.

    One answer is enough for an employer, and one person answers in one role.
    """
    same_side = EMPLOYERS if role in EMPLOYERS else (role,)
    # unscoped: an answer in a visible review
    answered = exists().where(
        ReviewAnswer.review_id == Review.id,
        or_(ReviewAnswer.role.in_(same_side), ReviewAnswer.answered_by_id == VIEWER_USER),
    )
    # unscoped: the document of a visible review
    issued = exists().where(ReviewDocument.review_id == Review.id, ReviewDocument.replaced_at.is_(None))
    return (
        select(*columns(Review.id, Review.learner_id, Review.number, since_at=_WAITS_SINCE))
        .join_from(Review, Session, Session.id == Review.session_id)
        .where(
            scope.sees(role, Review),
            Session.status.in_(_HELD),
            Session.starts_at <= NOW,
            ~issued,
            ~answered,
            of_running_programme(role, Review.learner_id),
            *not_own(role, Review.learner_id),
        )
    )
