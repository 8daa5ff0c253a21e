"""Rules of progress reviews: answered and issued as a draft, signed once issued."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.separation_of_duties import other_role_signed
from auth.viewer import Viewer
from domain.enums import ReviewStatus, Role, SessionStatus, SignatureRequestStatus, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.review import AnswersOfReviewLoader, ReviewRow, SlotsOfReviewLoader
from resolvers.core.rules import RecordRules
from resolvers.core.signatures import Signature
from resolvers.rules.signature_request import RequestState, sign, signature_of


@dataclass(frozen=True, slots=True)
class ReviewState:
    """What the rules know of a review."""

    learner_key: int
    issued: bool

    @classmethod
    def of_row(cls, row: ReviewRow) -> "ReviewState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.status is not ReviewStatus.DRAFT)


@dataclass(frozen=True, slots=True)
class Answer:
    """Who has answered in a role. `left`: the account is archived."""

    role: Role
    author_key: int
    author: str = ""
    left: bool = False


REVIEW = RecordRules("Review", state=ReviewState.of_row)
REVIEW.by_role("reviewReopen")


@REVIEW.rule("reviewAnswer")
def _answer(viewer: Viewer, review: ReviewState, *, answers: Sequence[Answer]) -> Iterator[UserError]:
    if review.issued:
        yield user_error(UserErrorCode.CONFLICT, say("REVIEW_ISSUED"), "id")
        return
    given = [(each.role, each.author_key) for each in answers]
    other = other_role_signed(given, viewer.user_key, viewer.role)
    own = next((each for each in answers if each.role is viewer.role), None)
    if other is not None:
        message = say("ANSWERED_IN_OTHER_ROLE", answered=other, role=viewer.role)
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "id")
    # After a hand-over the new assessor continues; for an assessor who has left, a colleague does.
    elif own is not None and own.author_key != viewer.user_key and not own.left and viewer.role is not Role.ASSESSOR:
        yield user_error(UserErrorCode.CONFLICT, say("ANSWERED_BY_OTHER", author=own.author), "id")


@REVIEW.rule("reviewIssue")
def _issue(viewer: Viewer, review: ReviewState, *, answers: Sequence[Answer], attended: bool) -> Iterator[UserError]:
    if review.issued:
        return
    if not attended:
        yield user_error(UserErrorCode.CONFLICT, say("REVIEW_NOT_HELD"), "id")
    elif Role.ASSESSOR not in {answer.role for answer in answers}:
        yield user_error(UserErrorCode.CONFLICT, say("ASSESSOR_HAS_NOT_ANSWERED"), "id")


@REVIEW.rule("reviewSign")
def _sign(viewer: Viewer, review: ReviewState, *, slots: Sequence[Signature]) -> Iterator[UserError]:
    if not review.issued:
        yield user_error(UserErrorCode.CONFLICT, say("REVIEW_NOT_ISSUED"), "id")
    else:
        yield from sign(viewer, RequestState(review.learner_key, SignatureRequestStatus.PENDING), slots=slots)


@REVIEW.fact
async def answers(loaders: Loaders, rows: Sequence[ReviewRow]) -> list[list[Answer]]:
    """Who has answered."""
    found = await loaders[AnswersOfReviewLoader].load_many([row.key for row in rows])
    return [
        [
            Answer(each.role, each.answered_by.key, each.answered_by.name, each.author_archived_at is not None)
            for each in of_review
        ]
        for of_review in found
    ]


@REVIEW.fact
async def attended(loaders: Loaders, rows: Sequence[ReviewRow]) -> list[bool]:
    """Whether the learner attended the session."""
    return [row.session_status is SessionStatus.ATTENDED for row in rows]


@REVIEW.fact
async def slots(loaders: Loaders, rows: Sequence[ReviewRow]) -> list[list[Signature]]:
    """The signature slots of the current document, signed or not."""
    found = await loaders[SlotsOfReviewLoader].load_many([row.key for row in rows])
    return [[signature_of(slot) for slot in of_one if slot.withdrawn_at is None] for of_one in found]
