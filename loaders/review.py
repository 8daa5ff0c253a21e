"""Progress reviews: by key, in pages, what each role says in them, and the signature slots of their documents."""

import datetime as dt

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import aliased

from auth import scope
from db.cached_statement import cached_statement
from db.models.action import Action
from db.models.aim import Aim
from db.models.file import File
from db.models.review import Review, ReviewAnswer, ReviewDocument
from db.models.session import Session
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from db.sql.any_of import any_of
from domain import clock
from domain.enums import EmployerAttendance, ReviewStatus, Role, SessionStatus, SignatureRequestStatus
from domain.global_id import Identifier
from loaders.action import ActionRow
from loaders.core.base import EntityLoader, OneLoader, RelatedLoader
from loaders.core.filters import by_value, joined, on_or_after, on_or_before, one_of, refers_to
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, nested, optional, row
from loaders.employer import at_employer
from loaders.file import FileRow
from loaders.signature_request import SignatureSlotRow
from loaders.user import UserRow

_STATUS_TYPE = EnumType(ReviewStatus, native_enum=False, length=40, create_constraint=False)
_STATUS: ColumnElement[ReviewStatus] = case(
    (SignatureRequest.status.is_(None), literal(ReviewStatus.DRAFT, _STATUS_TYPE)),
    (SignatureRequest.status == SignatureRequestStatus.COMPLETE, literal(ReviewStatus.SIGNED, _STATUS_TYPE)),
    else_=literal(ReviewStatus.AWAITING_SIGNATURES, _STATUS_TYPE),
)
# unscoped: the slots of a document whose review the viewer sees
_LAST_SIGNED = (
    select(func.max(SignatureSlot.signed_at))
    .where(SignatureSlot.request_id == ReviewDocument.request_id)
    .correlate(ReviewDocument)
    .scalar_subquery()
)


def _with_document(statement: Select) -> Select:
    """Joins the session and the current document."""
    current = and_(ReviewDocument.review_id == Review.id, ReviewDocument.replaced_at.is_(None))
    return (
        statement.join(Session, Session.id == Review.session_id)
        .outerjoin(ReviewDocument, current)
        .outerjoin(SignatureRequest, SignatureRequest.id == ReviewDocument.request_id)
        .outerjoin(File, File.id == SignatureRequest.file_id)
    )


@row(Review, joins=_with_document)
class ReviewRow(LightRow):
    """A progress review. `held_at` is when its session begins; `figures` are None in a draft."""

    key: int = column(Review.id)
    learner_key: int = column(Review.learner_id)
    session_key: int = column(Review.session_id)
    previous_session_key: int | None = column(Review.previous_session_id)
    number: int = column(Review.number)
    status: ReviewStatus = column(_STATUS)
    session_status: SessionStatus = column(Session.status)
    held_at: dt.datetime = column(Session.starts_at)
    covers_from: dt.date = column(Review.covers_from)
    employer_attendance: EmployerAttendance | None = column(Review.employer_attendance)
    figures: dict | None = column(lambda role: Review.figures)
    # When it was last changed or signed.
    updated_at: dt.datetime = column(case((Review.updated_at < _LAST_SIGNED, _LAST_SIGNED), else_=Review.updated_at))
    version: int = column(Review.version)
    request_key: int | None = column(ReviewDocument.request_id)
    document: FileRow | None = optional(FileRow)

    id = Identifier("Review", "key")

    @computed("held_at")
    def held_on(self) -> dt.date:
        """Returns the day of the session, in London."""
        return clock.day_of(self.held_at)


def _awaits(role: Role, signing: Role) -> ColumnElement[bool]:
    # unscoped: a condition on reviews that the viewer sees
    open_slot = exists().where(
        SignatureSlot.request_id == ReviewDocument.request_id,
        SignatureSlot.role == signing,
        SignatureSlot.signed_at.is_(None),
    )
    return and_(SignatureRequest.status == SignatureRequestStatus.PENDING, open_slot)


def _of_caseload(assessor: ColumnElement[int], role: Role) -> ColumnElement[bool]:
    """Reviews of learners with an aim of the assessor."""
    return Review.learner_id.in_(select(Aim.learner_id).where(Aim.assessor_id == assessor, scope.sees_aim(role)))


REVIEWS = PagedList(
    ReviewRow,
    Order("held_desc", Session.starts_at, Review.id, "held_at", descending=True),
    owners={"learner": Review.learner_id},
    filters={
        "statuses": joined(one_of(_STATUS)),
        "awaiting_role": joined(by_value(Role, _awaits, lambda reading: {})),
        "learner_id": refers_to("Learner", lambda learner, role: Review.learner_id == learner),
        "employer_id": refers_to("Employer", at_employer(Review.learner_id)),
        "assessor_id": refers_to("User", _of_caseload),
        "held_from": joined(on_or_after(Session.starts_at)),
        "held_to": joined(on_or_before(Session.starts_at)),
    },
)


class ReviewLoader(EntityLoader[ReviewRow]):
    """Loads reviews by key."""

    row = ReviewRow


class ReviewOfSessionLoader(OneLoader[int, ReviewRow]):
    """Loads the review of a session, by the session's key."""

    keys_of = "session"

    async def fetch(self, keys: list[int]) -> dict[int, ReviewRow]:
        rows = await self.reading.read(ReviewRow, _of_sessions(self.reading.viewer.role), keys=keys)
        return {row.session_key: row for row in rows}


@cached_statement
def _of_sessions(role: Role) -> Select:
    return ReviewRow.statement(role).where(any_of(Review.session_id))


class ReviewOfDocumentLoader(OneLoader[int, ReviewRow]):
    """Loads the review that a signature request is, or was, the document of, by the request's key."""

    keys_of = "signature_request"

    async def fetch(self, keys: list[int]) -> dict[int, ReviewRow]:
        statement = _of_documents(self.reading.viewer.role)
        leading, rows = await self.reading.read_with(ReviewRow, statement, ["document_key"], keys=keys)
        return dict(zip(leading["document_key"], rows, strict=True))


@cached_statement
def _of_documents(role: Role) -> Select:
    # Also a document that was replaced.
    link = aliased(ReviewDocument)
    statement = ReviewRow.statement(role, link.request_id.label("document_key"))
    return statement.join(link, link.review_id == Review.id).where(any_of(link.request_id))


@row(
    ReviewAnswer,
    joins=lambda statement: statement.join(Review, Review.id == ReviewAnswer.review_id).join(
        User, User.id == ReviewAnswer.answered_by_id
    ),
)
class ReviewAnswerRow(LightRow):
    """What one role says in a review."""

    role: Role = column(ReviewAnswer.role)
    answered_at: dt.datetime = column(ReviewAnswer.answered_at)
    progress_since_last: str | None = column(ReviewAnswer.progress_since_last)
    concerns: str | None = column(ReviewAnswer.concerns)
    changes_to_plan: str | None = column(ReviewAnswer.changes_to_plan)
    next_steps: str | None = column(ReviewAnswer.next_steps)
    author_archived_at: dt.datetime | None = column(User.archived_at)
    answered_by: UserRow = nested(UserRow, key=ReviewAnswer.answered_by_id)


class AnswersOfReviewLoader(RelatedLoader[ReviewAnswerRow]):
    """Loads what each role says in a review, the first answer first."""

    row, parent, order = ReviewAnswerRow, ReviewAnswer.review_id, (ReviewAnswer.id,)
    seen_through = Review


class SlotsOfReviewLoader(RelatedLoader[SignatureSlotRow]):
    """Loads the signature slots of a review: those of its document, then the signatures that were withdrawn."""

    row, parent = SignatureSlotRow, ReviewDocument.review_id
    order = (ReviewDocument.replaced_at.is_not(None), SignatureSlot.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            SignatureSlotRow.select(role, ReviewDocument.review_id)
            .join(ReviewDocument, ReviewDocument.request_id == SignatureRequest.id)
            .join(Review, Review.id == ReviewDocument.review_id)
            .where(
                scope.sees(role, Review),
                or_(ReviewDocument.replaced_at.is_(None), SignatureSlot.signed_at.is_not(None)),
            )
        )


class ActionsOfReviewedSessionLoader(RelatedLoader[ActionRow]):
    """Loads the actions set in a session that the viewer sees, earliest target date first."""

    row, parent, order = ActionRow, Action.session_id, (Action.target_date, Action.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return super().statement(role).join(Session, Session.id == Action.session_id).where(scope.sees(role, Session))
