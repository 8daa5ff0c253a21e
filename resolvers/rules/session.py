"""Rules of sessions: what can still be done with one in its status."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.session import Session
from domain.enums import ReviewStatus, SessionStatus, SessionType, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.review import ReviewOfSessionLoader
from loaders.session import SessionRow
from resolvers.core.rules import RecordRules
from resolvers.rules.learner import LEARNER
from resolvers.rules.viewer import VIEWER


@dataclass(frozen=True, slots=True)
class SessionState:
    """What the rules know of a session."""

    learner_key: int
    number: int
    status: SessionStatus
    starts_at: dt.datetime
    type: SessionType

    @classmethod
    def of(cls, session: Session | SessionRow) -> "SessionState":
        """Returns that of the entity or the light row."""
        learner_key = session.learner_id if isinstance(session, Session) else session.learner_key
        return cls(learner_key, session.number, session.status, session.starts_at, session.type)


SESSION = RecordRules("Session", state=SessionState.of)
# Whether a session that is no longer planned can be changed depends on the change.
SESSION.by_role("sessionUpdate")
LEARNER.by_role("sessionBook", "sessionBookMany")
VIEWER.by_role("sessionBook", "sessionBookMany", "sessionCompleteMany")


@SESSION.rule("sessionComplete")
def complete(viewer: Viewer, session: SessionState, *, now: dt.datetime) -> Iterator[UserError]:
    """Yields why the session cannot be completed; the field of a session that has not begun is `attended`."""
    if session.status is SessionStatus.CANCELLED:
        message = say("SESSION_CANCELLED")
        yield user_error(UserErrorCode.CONFLICT, message, "id")
    elif session.status is not SessionStatus.PLANNED:
        message = say("SESSION_COMPLETED")
        yield user_error(UserErrorCode.CONFLICT, message, "id")
    elif session.starts_at > now:
        message = say("SESSION_NOT_STARTED")
        yield user_error(UserErrorCode.INVALID, message, "input", "attended")


@SESSION.rule("sessionCancel")
def _cancel(viewer: Viewer, session: SessionState) -> Iterator[UserError]:
    if session.status not in (SessionStatus.PLANNED, SessionStatus.CANCELLED):
        message = say("SESSION_CANNOT_BE_CANCELLED", number=session.number, status=session.status)
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@SESSION.rule("sessionReopen")
def _reopen(viewer: Viewer, session: SessionState, *, review_issued: bool) -> Iterator[UserError]:
    # What was signed says that the session took place.
    if review_issued:
        yield user_error(UserErrorCode.CONFLICT, say("SESSION_OF_ISSUED_REVIEW"), "id")


@SESSION.rule("reviewStart")
def _start_review(viewer: Viewer, session: SessionState, *, has_review: bool) -> Iterator[UserError]:
    if has_review:
        return
    if session.type is not SessionType.FORMAL_REVIEW:
        yield user_error(UserErrorCode.INVALID, say("SESSION_NOT_FORMAL_REVIEW"), "sessionId")
    elif session.status in (SessionStatus.CANCELLED, SessionStatus.NOT_ATTENDED):
        yield user_error(UserErrorCode.CONFLICT, say("SESSION_NOT_HELD"), "sessionId")


@SESSION.fact
async def has_review(loaders: Loaders, rows: Sequence[SessionRow]) -> list[bool]:
    """Whether a progress review was started for it."""
    reviews = await loaders[ReviewOfSessionLoader].load_many([row.key for row in rows])
    return [review is not None for review in reviews]


@SESSION.fact
async def review_issued(loaders: Loaders, rows: Sequence[SessionRow]) -> list[bool]:
    """Whether its progress review is issued."""
    reviews = await loaders[ReviewOfSessionLoader].load_many([row.key for row in rows])
    return [review is not None and review.status is not ReviewStatus.DRAFT for review in reviews]


@SESSION.fact
async def now(loaders: Loaders, rows: Sequence[SessionRow]) -> list[dt.datetime]:
    """The time of the operation."""
    return [loaders.reading.now] * len(rows)
