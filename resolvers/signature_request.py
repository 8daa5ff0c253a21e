"""Documents to sign: several roles are asked, and each signs its own slot."""

from collections.abc import Sequence

from sqlalchemy import update

from auth import policy
from db.models.file import File
from db.models.learner import Learner
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain.confirmation_statements import document_statement
from domain.enums import Role, SignatureRequestStatus, UserErrorCode
from domain.errors import not_allowed, reject
from repositories.signature_request import open_slots, possible_signers, slot_of
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.file import attach, claim_upload
from services.mail.messages import signature_requested


@mutation("signatureRequestCreate")
async def create(uow: UnitOfWork, *, learner_id: str, title: str, file_id: str, roles: Sequence[Role]) -> int:
    """Asks roles to sign a document about a learner; whoever can sign it in one of them hears by e-mail.

    Refuses with NOT_FOUND, NOT_ALLOWED, or REQUIRED, INVALID and CONFLICT for the fields.
    """
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId", locked=False)
    if learner is not None:
        uow.authorize()
    title = single_line(uow, title, "input", "title")
    file = await claim_upload(uow, file_id, "input", "fileId")
    _check_roles(uow, roles)
    uow.raise_errors()
    assert learner is not None and file is not None and file.sha256 is not None
    attach(file, learner.id)
    of_learner = {"provider_id": learner.provider_id, "learner_id": learner.id}
    request = SignatureRequest(
        **of_learner, title=title, file_id=file.id, document_sha256=file.sha256, status=SignatureRequestStatus.PENDING,
        requested_by_id=uow.viewer.user_key, requested_at=uow.now,
    )  # fmt: skip
    uow.session.add(request)
    await uow.session.flush()
    uow.session.add_all(SignatureSlot(**of_learner, request_id=request.id, role=role) for role in roles)
    learner_name = (await uow.session.get_one(User, learner.user_id)).name
    for person in await possible_signers(uow.session, learner, roles):
        if person.key != uow.viewer.user_key:
            mail = signature_requested(name=person.name, document=title, learner=learner_name, requested_by=uow.viewer.name)
            uow.send_mail(person.email, mail)
    uow.audit(
        "SignatureRequest", request.id, learner_id=learner.id, file=file.id, roles=[role.value for role in roles],
        sha256=file.sha256,
    )  # fmt: skip
    return request.id


def _check_roles(uow: UnitOfWork, roles: Sequence[Role]) -> None:
    if not roles:
        uow.add_error(UserErrorCode.REQUIRED, "Say which roles are to sign: at least one.", "input", "roles")
    for place, role in enumerate(roles):
        field = ("input", "roles", str(place))
        if role in roles[:place]:
            uow.add_error(UserErrorCode.INVALID, "This role is named twice. Each role signs once.", *field)
        elif not policy.may(role, "signatureRequestSign"):
            uow.add_error(UserErrorCode.INVALID, "Nobody signs in this role. Choose another.", *field)


@mutation("signatureRequestSign", signs=True)
async def sign(uow: UnitOfWork, *, id: str, document_sha256: str, password: str) -> int:
    """Signs the viewer's own role's slot on the document that they opened; signing it again changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED where no slot is the role's, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, and CONFLICT
    where the digest is another document's, the request was cancelled, or another person was first.
    """
    # Locked, so that of two who fill the last two slots the second sees that all are filled.
    request = await uow.get(SignatureRequest, id, "id")
    uow.authorize()
    slot = await slot_of(uow.session, request.id, uow.viewer.role)
    if slot is None:
        raise not_allowed("Your role is not asked to sign this document.", "id")
    file = await uow.session.get_one(File, request.file_id)
    if not document_sha256.lower() == file.sha256 == request.document_sha256:
        raise reject(
            UserErrorCode.CONFLICT,
            "The document is not the one that you opened. Open and read it again, then sign it.",
            "documentSha256",
        )
    if slot.signed_by_id == uow.viewer.user_key:
        return request.id
    if request.status is SignatureRequestStatus.CANCELLED:
        raise reject(UserErrorCode.CONFLICT, "The request was cancelled: there is nothing to sign any more.", "id")
    if not await _fill(uow, slot, request):
        taken = await slot_of(uow.session, request.id, uow.viewer.role)
        other = await uow.session.get_one(User, taken.signed_by_id)
        raise reject(UserErrorCode.CONFLICT, f"{other.name} has signed it in your role already.", "id")
    if await open_slots(uow.session, request.id) == 0:
        request.status = SignatureRequestStatus.COMPLETE
    uow.audit("SignatureRequest", request.id, learner_id=request.learner_id, sha256=request.document_sha256)
    return request.id


async def _fill(uow: UnitOfWork, slot: SignatureSlot, request: SignatureRequest) -> bool:
    """Fills the slot if it is still empty, whatever was read of it before; whether it did."""
    filled = await uow.session.execute(
        update(SignatureSlot)
        .where(SignatureSlot.id == slot.id, SignatureSlot.signed_at.is_(None))
        .values(
            signed_by_id=uow.viewer.user_key,
            signed_at=uow.now,
            statement=document_statement(request.title),
            document_sha256=request.document_sha256,
        )
        .execution_options(synchronize_session=False)
    )
    return filled.rowcount == 1


@mutation("signatureRequestCancel")
async def cancel(uow: UnitOfWork, *, id: str) -> int:
    """Withdraws a request; the signatures that were given are kept.

    Refuses with NOT_FOUND, NOT_ALLOWED, CONFLICT unless it is PENDING.
    """
    request = await uow.get(SignatureRequest, id, "id")
    uow.authorize()
    if request.status is not SignatureRequestStatus.PENDING:
        done = "cancelled" if request.status is SignatureRequestStatus.CANCELLED else "signed by everybody"
        raise reject(UserErrorCode.CONFLICT, f"It has been {done} already: there is nothing to cancel.", "id")
    request.status = SignatureRequestStatus.CANCELLED
    uow.audit("SignatureRequest", request.id, learner_id=request.learner_id, fields=["status"])
    return request.id
