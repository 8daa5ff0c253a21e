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
from domain.errors import not_allowed, refuse
from repositories.signature_request import open_slots, slot_of, who_can_sign
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import line, named
from resolvers.file import bind, usable
from services.mail.messages import signature_asked


@writes("signatureRequestCreate")
async def create(change: Change, *, learner_id: str, title: str, file_id: str, roles: Sequence[Role]) -> int:
    """Asks roles to sign a document about a learner; whoever can sign it in one of them hears by e-mail.

    Refuses with NOT_FOUND, NOT_ALLOWED, or REQUIRED, INVALID and CONFLICT for the fields.
    """
    learner = await named(change, Learner, learner_id, "input", "learnerId", locked=False)
    if learner is not None:
        change.allow()
    title = line(change, title, "input", "title")
    file = await usable(change, file_id, "input", "fileId")
    _check_roles(change, roles)
    change.check()
    assert learner is not None and file is not None and file.sha256 is not None
    bind(file, learner.id)
    of_learner = {"provider_id": learner.provider_id, "learner_id": learner.id}
    request = SignatureRequest(
        **of_learner, title=title, file_id=file.id, document_sha256=file.sha256, status=SignatureRequestStatus.PENDING,
        requested_by_id=change.viewer.user_key, requested_at=change.now,
    )  # fmt: skip
    change.session.add(request)
    await change.session.flush()
    change.session.add_all(SignatureSlot(**of_learner, request_id=request.id, role=role) for role in roles)
    learner_name = (await change.session.get_one(User, learner.user_id)).name
    for person in await who_can_sign(change.session, learner, roles):
        if person.key != change.viewer.user_key:
            mail = signature_asked(
                name=person.name, document=title, learner=learner_name, asked_by=change.viewer.name
            )
            change.mail(person.email, mail)
    change.record(
        "SignatureRequest", request.id, learner_id=learner.id, file=file.id, roles=[role.value for role in roles],
        sha256=file.sha256,
    )  # fmt: skip
    return request.id


def _check_roles(change: Change, roles: Sequence[Role]) -> None:
    if not roles:
        change.fault(UserErrorCode.REQUIRED, "Say which roles are to sign: at least one.", "input", "roles")
    for place, role in enumerate(roles):
        field = ("input", "roles", str(place))
        if role in roles[:place]:
            change.fault(UserErrorCode.INVALID, "This role is named twice. Each role signs once.", *field)
        elif not policy.may(role, "signatureRequestSign"):
            change.fault(UserErrorCode.INVALID, "Nobody signs in this role. Choose another.", *field)


@writes("signatureRequestSign", signs=True)
async def sign(change: Change, *, id: str, document_sha256: str, password: str) -> int:
    """Signs the viewer's own role's slot on the document that they opened; signing it again changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED where no slot is the role's, WRONG_PASSWORD, TOO_MANY_ATTEMPTS, and CONFLICT
    where the digest is another document's, the request was cancelled, or another person was first.
    """
    # Locked, so that of two who fill the last two slots the second sees that all are filled.
    request = await change.get(SignatureRequest, id, "id")
    change.allow()
    slot = await slot_of(change.session, request.id, change.viewer.role)
    if slot is None:
        raise not_allowed("Your role is not asked to sign this document.", "id")
    file = await change.session.get_one(File, request.file_id)
    if not document_sha256.lower() == file.sha256 == request.document_sha256:
        raise refuse(
            UserErrorCode.CONFLICT,
            "The document is not the one that you opened. Open and read it again, then sign it.",
            "documentSha256",
        )
    if slot.signed_by_id == change.viewer.user_key:
        return request.id
    if request.status is SignatureRequestStatus.CANCELLED:
        raise refuse(UserErrorCode.CONFLICT, "The request was cancelled: there is nothing to sign any more.", "id")
    if not await _fill(change, slot, request):
        taken = await slot_of(change.session, request.id, change.viewer.role)
        other = await change.session.get_one(User, taken.signed_by_id)
        raise refuse(UserErrorCode.CONFLICT, f"{other.name} has signed it in your role already.", "id")
    if await open_slots(change.session, request.id) == 0:
        request.status = SignatureRequestStatus.COMPLETE
    change.record("SignatureRequest", request.id, learner_id=request.learner_id, sha256=request.document_sha256)
    return request.id


async def _fill(change: Change, slot: SignatureSlot, request: SignatureRequest) -> bool:
    """Fills the slot if it is still empty, whatever was read of it before; whether it did."""
    filled = await change.session.execute(
        update(SignatureSlot)
        .where(SignatureSlot.id == slot.id, SignatureSlot.signed_at.is_(None))
        .values(
            signed_by_id=change.viewer.user_key,
            signed_at=change.now,
            statement=document_statement(request.title),
            document_sha256=request.document_sha256,
        )
        .execution_options(synchronize_session=False)
    )
    return filled.rowcount == 1


@writes("signatureRequestCancel")
async def cancel(change: Change, *, id: str) -> int:
    """Withdraws a request; the signatures that were given are kept.

    Refuses with NOT_FOUND, NOT_ALLOWED, CONFLICT unless it is PENDING.
    """
    request = await change.get(SignatureRequest, id, "id")
    change.allow()
    if request.status is not SignatureRequestStatus.PENDING:
        done = "cancelled" if request.status is SignatureRequestStatus.CANCELLED else "signed by everybody"
        raise refuse(UserErrorCode.CONFLICT, f"It has been {done} already: there is nothing to cancel.", "id")
    request.status = SignatureRequestStatus.CANCELLED
    change.record("SignatureRequest", request.id, learner_id=request.learner_id, fields=["status"])
    return request.id
