"""Rules of sessions: what can still be done with one in its status."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.session import Session
from domain.enums import SessionStatus, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.session import SessionRow
from resolvers.core.rules import RecordRules


@dataclass(frozen=True, slots=True)
class SessionState:
    """What the rules know of a session."""

    learner_key: int
    number: int
    status: SessionStatus
    starts_at: dt.datetime

    @classmethod
    def of(cls, session: Session | SessionRow) -> "SessionState":
        """Returns that of the entity or the light row."""
        learner_key = session.learner_id if isinstance(session, Session) else session.learner_key
        return cls(learner_key, session.number, session.status, session.starts_at)


SESSION = RecordRules("Session", state=SessionState.of)
# What can be changed of a session that is not planned any more depends on the change.
SESSION.by_role("sessionUpdate", "sessionReopen")


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


@SESSION.fact
async def now(loaders: Loaders, rows: Sequence[SessionRow]) -> list[dt.datetime]:
    """The time of the operation."""
    return [loaders.reading.now] * len(rows)
