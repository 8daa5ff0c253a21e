"""Issues a review: its figures and words become a document, which is signed. Or reopens it."""

from dataclasses import dataclass
from typing import Any

from auth import policy
from db.models.file import File
from db.models.learner import Learner
from db.models.review import Review, ReviewDocument
from db.models.session import Session, SessionFile
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain import clock, global_id
from domain.enums import ReviewStatus, Role, SessionStatus, SignatureRequestStatus, TaskKind, UserErrorCode
from domain.errors import reject
from domain.sentences import say
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.review import ReviewLoader
from loaders.review_figures import as_json
from repositories.review import answers_by_role, current_document
from repositories.signature_request import possible_signers, slots_by_role, withdraw_signatures
from resolvers.core.context import Context
from resolvers.core.signatures import slot_signatures
from resolvers.core.task_mail import send_task_mail
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.exports import formats, review_data
from resolvers.exports.progress_review import progress_review
from resolvers.rules.review import REVIEW, Answer, ReviewState
from resolvers.signature_request import sign_slot
from services.mail.messages import signature_requested
from services.storage.file_store import StoredFile

_MAX_BYTES = 50_000_000
# Of those who must sign a review: they are there also where the learner has no employer.
_ALWAYS = (Role.LEARNER, Role.ASSESSOR)


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """The document of a review in the version that was read, with its figures. The file has no record yet."""

    version: int
    figures: dict[str, Any]
    file_name: str
    stored: StoredFile


async def prepare(context: Context, *, id: str) -> PreparedDocument | None:
    """Makes the document of a draft that the viewer sees, before the transaction, because that takes long.

    Returns None where there is no such draft.
    """
    viewer = context.require_active_viewer()
    key = global_id.decode("Review", id)
    if key is None or not policy.may(viewer.role, "reviewIssue"):
        return None
    reading = ReadSession(context.services.database, viewer, context.services.qualifications, primary=True)
    loaders = Loaders(reading)
    row = await loaders[ReviewLoader].load(key)
    if row is None or row.status is not ReviewStatus.DRAFT:
        return None
    data = await review_data.progress_review(loaders, row)

    async def chunks() -> Any:
        yield await progress_review(data)

    stored = await context.services.files.write(chunks(), limit=_MAX_BYTES)
    name = formats.file_name(data.learner, f"Progress review {row.number}", reading.now, ".pdf")
    return PreparedDocument(row.version, await as_json(data.figures, loaders), name, stored)


async def issue(context: Context, *, id: str) -> int:
    """As `_issue`; the document is made before its transaction begins."""
    context.prepared = await prepare(context, id=id)
    return await _issue(context, id=id)


@mutation("reviewIssue")
async def _issue(uow: UnitOfWork, *, id: str) -> int:
    """Freezes figures and texts, makes the document, and requests signatures; issuing again changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED, and CONFLICT before the session was attended, without the assessor's answer, or
    where the review changed at the same moment.
    """
    review = await uow.get(Review, id, "id")
    uow.authorize()
    if await current_document(uow.session, review.id) is not None:
        return review.id
    session = await uow.session.get_one(Session, review.session_id)
    answers = [
        Answer(role, each.answered_by_id) for role, each in (await answers_by_role(uow.session, review.id)).items()
    ]
    attended = session.status is SessionStatus.ATTENDED
    uow.require(REVIEW, ReviewState(review.learner_id, False), answers=answers, attended=attended)
    prepared: PreparedDocument | None = uow.context.prepared
    if prepared is None or prepared.version != review.version:
        raise reject(UserErrorCode.CONFLICT, say("CHANGED_MEANWHILE"), "input")
    request = await _request_signatures(uow, review, session, prepared)
    review.figures, review.issued_at, review.updated_at = prepared.figures, uow.now, uow.now
    uow.audit("Review", review.id, learner_id=review.learner_id, document=request.id, sha256=request.document_sha256)
    return review.id


@mutation("reviewSign", signs=True)
async def sign(uow: UnitOfWork, *, id: str, document_sha256: str, password: str) -> int:
    """Signs the slot of the viewer's role on an issued review; the signature has today's date.

    Rejects as `resolvers.signature_request.sign`, and with CONFLICT before it is issued.
    """
    review = await uow.get(Review, id, "id", locked=False)
    uow.authorize()
    document = await current_document(uow.session, review.id)
    slots = await slots_by_role(uow.session, document.request.id) if document else {}
    signed = await slot_signatures(uow, slots.values())
    uow.require(REVIEW, ReviewState(review.learner_id, document is not None), slots=signed)
    assert document is not None
    await sign_slot(uow, document.request, slots[uow.viewer.role], document_sha256)
    return review.id


@mutation("reviewReopen")
async def reopen(uow: UnitOfWork, *, id: str, reason: str) -> int:
    """Makes an issued review a draft again. Its signatures are withdrawn and kept; reopening a draft changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED, or REQUIRED without a reason.
    """
    review = await uow.get(Review, id, "id")
    uow.authorize()
    document = await current_document(uow.session, review.id)
    if document is None:
        return review.id
    reason = multi_line(uow, reason, "reason")
    uow.raise_errors()
    document.request.status, document.link.replaced_at = SignatureRequestStatus.CANCELLED, uow.now
    slots = await slots_by_role(uow.session, document.request.id)
    signed = [role.value for role, slot in slots.items() if slot.signed_at is not None]
    await withdraw_signatures(uow.session, document.request.id, uow.now, reason)
    review.figures, review.issued_at = None, None
    review.started_at = review.updated_at = uow.now
    uow.audit(
        "Review", review.id, learner_id=review.learner_id, reason=reason, document=document.request.id,
        withdrawn=signed,
    )  # fmt: skip
    return review.id


async def _request_signatures(
    uow: UnitOfWork, review: Review, session: Session, prepared: PreparedDocument
) -> SignatureRequest:
    owner = {"provider_id": review.provider_id, "learner_id": review.learner_id}
    stored = prepared.stored
    file = File(
        **owner, name=prepared.file_name, content_type=formats.PDF, size=stored.size, sha256=stored.sha256,
        storage_key=stored.storage_key, uploaded_by_id=uow.viewer.user_key, announced_at=uow.now, uploaded_at=uow.now,
    )  # fmt: skip
    uow.session.add(file)
    await uow.session.flush()
    title = f"Progress review {review.number}, held on {formats.day(clock.day_of(session.starts_at))}"
    request = SignatureRequest(
        **owner, title=title, file_id=file.id, document_sha256=stored.sha256, status=SignatureRequestStatus.PENDING,
        requested_by_id=uow.viewer.user_key, requested_at=uow.now,
    )  # fmt: skip
    uow.session.add(request)
    # So that it is visible with the session, as the review is.
    uow.session.add(SessionFile(**owner, session_id=session.id, file_id=file.id))
    await uow.session.flush()
    learner = await uow.session.get_one(Learner, review.learner_id)
    roles = [role for role in uow.viewer.rules.review_signatures if role in _ALWAYS or learner.employer_id is not None]
    uow.session.add_all(SignatureSlot(**owner, request_id=request.id, role=role) for role in roles)
    uow.session.add(ReviewDocument(**owner, review_id=review.id, request_id=request.id))
    name = (await uow.session.get_one(User, learner.user_id)).name
    for signer in await possible_signers(uow.session, learner, [role for role in roles if role is not Role.ASSESSOR]):
        mail = signature_requested(name=signer.name, document=title, learner=name, requested_by=uow.viewer.name)
        kind, about = TaskKind.SIGN_REVIEW, ("Review", review.id)
        send_task_mail(uow, kind, signer.key, signer.email, signer.email_for, mail, *about)
    return request
