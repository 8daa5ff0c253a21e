"""Rules of documents to sign: each role signs its own slot while the request is open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.scope import EMPLOYERS
from auth.viewer import Viewer
from db.models.signature_request import SignatureRequest
from domain.enums import SignatureRequestStatus, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.review import ReviewOfDocumentLoader
from loaders.signature_request import SignatureRequestRow, SignatureSlotRow, SignatureSlotsLoader
from resolvers.core.rules import RecordRules
from resolvers.core.signatures import Signature, cannot_sign, is_of_guest, of_guest
from resolvers.rules.learner import LEARNER


@dataclass(frozen=True, slots=True)
class RequestState:
    """What the rules know of a request for signatures."""

    learner_key: int
    status: SignatureRequestStatus

    @classmethod
    def of(cls, request: SignatureRequest) -> "RequestState":
        """Returns that of the entity."""
        return cls(request.learner_id, request.status)

    @classmethod
    def of_row(cls, row: SignatureRequestRow) -> "RequestState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.status)


REQUEST = RecordRules("SignatureRequest", state=RequestState.of_row)
LEARNER.by_role("signatureRequestCreate")


@REQUEST.rule("signatureRequestSign")
def sign(viewer: Viewer, request: RequestState, *, slots: Sequence[Signature]) -> Iterator[UserError]:
    """Yields why the viewer cannot sign the slot of their role."""
    slot = next((each for each in slots if each.role is viewer.role), None)
    if slot is None:
        message = say("ROLE_DOES_NOT_SIGN")
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "id")
    elif slot.signed_by_key == viewer.user_key:
        return
    elif request.status is SignatureRequestStatus.CANCELLED:
        message = say("REQUEST_CANCELLED")
        yield user_error(UserErrorCode.CONFLICT, message, "id")
    else:
        yield from cannot_sign(viewer, slots, "id")


@REQUEST.rule("signatureRequestSignMany")
def _sign_many(viewer: Viewer, request: RequestState, *, slots: Sequence[Signature]) -> Iterator[UserError]:
    yield from (of_document(0, error) for error in sign(viewer, request, slots=slots))


def of_document(index: int, error: UserError) -> UserError:
    """Returns the error of one document at its place in the list `documents`."""
    if error.field is None:
        return error
    inner = error.field[2:] if error.field[0] == "documents" else error.field
    return UserError(error.code, ("documents", str(index), *inner), error.message)


@REQUEST.rule("guestSignatureInvite")
def _invite(viewer: Viewer, request: RequestState, *, slots: Sequence[Signature]) -> Iterator[UserError]:
    if request.status is SignatureRequestStatus.CANCELLED:
        yield user_error(UserErrorCode.CONFLICT, say("REQUEST_CANCELLED_FOR_GUESTS"), "requestId")
    elif not any(each.role in EMPLOYERS and not each.is_signed for each in slots):
        yield user_error(UserErrorCode.CONFLICT, say("NO_SLOT_FOR_GUESTS"), "requestId")


@REQUEST.rule("signatureRequestCancel")
def _cancel(viewer: Viewer, request: RequestState, *, of_review: bool) -> Iterator[UserError]:
    if of_review:
        yield user_error(UserErrorCode.CONFLICT, say("DOCUMENT_OF_REVIEW"), "id")
    elif request.status is SignatureRequestStatus.CANCELLED:
        yield user_error(UserErrorCode.CONFLICT, say("REQUEST_ALREADY_CANCELLED"), "id")
    elif request.status is SignatureRequestStatus.COMPLETE:
        message = say("REQUEST_COMPLETE")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@REQUEST.fact
async def of_review(loaders: Loaders, rows: Sequence[SignatureRequestRow]) -> list[bool]:
    """Whether it is the current document of a progress review."""
    reviews = await loaders[ReviewOfDocumentLoader].load_many([row.key for row in rows])
    return [review is not None and review.request_key == row.key for row, review in zip(rows, reviews, strict=True)]


@REQUEST.fact
async def slots(loaders: Loaders, rows: Sequence[SignatureRequestRow]) -> list[list[Signature]]:
    """The signature slots, signed or not."""
    found = await loaders[SignatureSlotsLoader].load_many([row.key for row in rows])
    return [[signature_of(slot) for slot in of_one] for of_one in found]


def signature_of(slot: SignatureSlotRow) -> Signature:
    """Returns the signature in a slot, signed or not."""
    if slot.signed_by is None:
        return of_guest(slot) if is_of_guest(slot) else Signature(slot.role, None)
    return Signature(slot.role, slot.signed_by.key, slot.signed_by.name)
