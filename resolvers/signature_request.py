"""Requests signatures on a document from several roles; each role signs its own slot."""

from collections.abc import Sequence
from typing import Any, TypedDict

from auth import policy
from db.models.file import File
from db.models.learner import Learner
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain import global_id
from domain.confirmation_statements import document_statement
from domain.enums import Role, SignatureRequestStatus, TaskKind, UserErrorCode
from domain.errors import DomainError, UserError, reject
from domain.sentences import say
from repositories.review import is_document_of_review
from repositories.signature_request import (
    count_open_slots,
    fill_slot,
    possible_signers,
    slots_by_role,
    withdraw_signatures,
)
from resolvers.core.attachments import attach, claim_upload
from resolvers.core.signatures import slot_signatures
from resolvers.core.task_mail import send_task_mail
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.rules.learner import LEARNER, LearnerState
from resolvers.rules.signature_request import REQUEST, RequestState, of_document
from services.mail.messages import signature_requested

MAX_DOCUMENTS = 50


class DocumentToSign(TypedDict):
    """A document that the viewer has opened."""

    id: str
    document_sha256: str


@mutation("signatureRequestCreate")
async def create(uow: UnitOfWork, *, learner_id: str, title: str, file_id: str, roles: Sequence[Role]) -> int:
    """Requests signatures on a document about a learner, and sends an e-mail to the people who can sign.

    Returns the request's key. Rejects with NOT_FOUND, NOT_ALLOWED, or REQUIRED, INVALID and CONFLICT for the fields.
    """
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId", locked=False)
    if learner is not None:
        uow.require(LEARNER, LearnerState.of(learner))
    title = single_line(uow, title, "input", "title")
    file = await claim_upload(uow, file_id, "input", "fileId")
    _check_roles(uow, roles)
    uow.raise_errors()
    assert learner is not None and file is not None and file.sha256 is not None
    attach(file, learner.id)
    owner = {"provider_id": learner.provider_id, "learner_id": learner.id}
    request = SignatureRequest(
        **owner, title=title, file_id=file.id, document_sha256=file.sha256, status=SignatureRequestStatus.PENDING,
        requested_by_id=uow.viewer.user_key, requested_at=uow.now,
    )  # fmt: skip
    uow.session.add(request)
    await uow.session.flush()
    uow.session.add_all(SignatureSlot(**owner, request_id=request.id, role=role) for role in roles)
    learner_name = (await uow.session.get_one(User, learner.user_id)).name
    for signer in await possible_signers(uow.session, learner, roles):
        if signer.key != uow.viewer.user_key:
            mail = signature_requested(
                name=signer.name, document=title, learner=learner_name, requested_by=uow.viewer.name
            )
            kind, about = TaskKind.SIGN_DOCUMENT, ("SignatureRequest", request.id)
            send_task_mail(uow, kind, signer.key, signer.email, signer.email_for, mail, *about)
    uow.audit(
        "SignatureRequest", request.id, learner_id=learner.id, file=file.id, roles=[role.value for role in roles],
        sha256=file.sha256,
    )  # fmt: skip
    return request.id


@mutation("signatureRequestSign", signs=True)
async def sign(uow: UnitOfWork, *, id: str, document_sha256: str, password: str) -> int:
    """Signs the slot of the viewer's role on the document that they opened; signing it again changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED where the role has no slot or the viewer signed another one, WRONG_PASSWORD,
    TOO_MANY_ATTEMPTS, and CONFLICT where the digest is that of another document, the request was cancelled, or another
    person signed the slot first.
    """
    return await _sign(uow, id, document_sha256)


@mutation("signatureRequestSignMany", signs=True)
async def sign_many(uow: UnitOfWork, *, documents: Sequence[DocumentToSign], password: str) -> dict[str, Any]:
    """Signs several documents as `sign` does one; each that cannot be signed is refused alone, and the others are
    signed.

    Returns the keys of those that are signed now as `signed`, and the errors of the others as `refused`. Rejects with
    REQUIRED or INVALID for the list, and with the errors of all documents where none could be signed.
    """
    if not 1 <= len(documents) <= MAX_DOCUMENTS:
        uow.authorize()
        code = UserErrorCode.INVALID if documents else UserErrorCode.REQUIRED
        raise reject(code, say("NUMBER_OF_DOCUMENTS", most=MAX_DOCUMENTS), "documents")
    keys = [global_id.decode("SignatureRequest", each["id"]) or 0 for each in documents]
    signed: dict[int, int] = {}
    refused: list[UserError] = []
    # In the order of the keys, as requests are locked everywhere.
    for index in sorted(range(len(documents)), key=keys.__getitem__):
        try:
            if keys[index] and keys[index] in keys[:index]:
                raise reject(UserErrorCode.INVALID, say("DOCUMENT_GIVEN_TWICE"), "id")
            signed[index] = await _sign(uow, documents[index]["id"], documents[index]["document_sha256"])
        except DomainError as error:
            refused += [of_document(index, each) for each in error.errors]
    if not signed:
        raise DomainError(*refused)
    return {"signed": [signed[index] for index in sorted(signed)], "refused": [each.as_json() for each in refused]}


@mutation("signatureRequestCancel")
async def cancel(uow: UnitOfWork, *, id: str) -> int:
    """Cancels a request; the signatures given so far are withdrawn, and stay with their words and the reason.

    Rejects with NOT_FOUND, NOT_ALLOWED, and CONFLICT unless it is PENDING.
    """
    request = await uow.get(SignatureRequest, id, "id")
    uow.authorize()
    of_review = await is_document_of_review(uow.session, request.id)
    uow.require(REQUEST, RequestState.of(request), of_review=of_review)
    request.status = SignatureRequestStatus.CANCELLED
    await withdraw_signatures(uow.session, request.id, uow.now, "The request for signatures was cancelled.")
    uow.audit("SignatureRequest", request.id, learner_id=request.learner_id, fields=["status"])
    return request.id


def _check_roles(uow: UnitOfWork, roles: Sequence[Role]) -> None:
    if not roles:
        uow.add_error(UserErrorCode.REQUIRED, say("SIGNING_ROLES_MISSING"), "input", "roles")
    for index, role in enumerate(roles):
        field = ("input", "roles", str(index))
        if role in roles[:index]:
            uow.add_error(UserErrorCode.INVALID, say("ROLE_GIVEN_TWICE"), *field)
        elif not policy.may(role, "signatureRequestSign"):
            uow.add_error(UserErrorCode.INVALID, say("ROLE_CANNOT_SIGN_DOCUMENTS"), *field)


async def _sign(uow: UnitOfWork, id: str, document_sha256: str) -> int:
    """Signs one document. Returns its key."""
    # Locked: of two requests that sign the last two slots, the second sees that every slot is signed.
    request = await uow.get(SignatureRequest, id, "id")
    uow.authorize()
    slots = await slots_by_role(uow.session, request.id)
    uow.require(REQUEST, RequestState.of(request), slots=await slot_signatures(uow, slots.values()))
    return await sign_slot(uow, request, slots[uow.viewer.role], document_sha256)


async def sign_slot(uow: UnitOfWork, request: SignatureRequest, slot: SignatureSlot, document_sha256: str) -> int:
    """Signs a slot of a document, which is locked, after its rule was checked. Returns its key; rejects as `sign`."""
    file = await uow.session.get_one(File, request.file_id)
    if not document_sha256.lower() == file.sha256 == request.document_sha256:
        message = say("DOCUMENT_CHANGED")
        raise reject(UserErrorCode.CONFLICT, message, "documentSha256")
    if slot.signed_by_id == uow.viewer.user_key:
        return request.id
    filled = await fill_slot(
        uow.session, slot, signed_by_id=uow.viewer.user_key, signed_at=uow.now, guest_name=None, guest_email=None,
        statement=document_statement(request.title), document_sha256=request.document_sha256,
    )  # fmt: skip
    if not filled:
        await uow.session.refresh(slot)
        (other,) = await slot_signatures(uow, [slot])
        raise reject(UserErrorCode.CONFLICT, say("SIGNED_BY_OTHER", signer=other.signed_by), "id")
    if await count_open_slots(uow.session, request.id) == 0:
        request.status = SignatureRequestStatus.COMPLETE
    uow.audit("SignatureRequest", request.id, learner_id=request.learner_id, sha256=request.document_sha256)
    return request.id
