"""Invites somebody without an account to sign one open slot of one document, through a link in an e-mail."""

import datetime as dt

from sqlalchemy import func

from auth.scope import EMPLOYERS
from auth.tokens import digest
from db.models.file import File
from db.models.guest_invitation import GuestInvitation
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import not_allowed, reject
from domain.sentences import ENGLISH, say
from domain.text import clean_line
from repositories.guest_invitation import count_links, end_links, has_account
from repositories.signature_request import slots_by_role
from resolvers.core.signatures import slot_signatures
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import single_line
from resolvers.rules.signature_request import REQUEST, RequestState
from resolvers.user.invitation import MAX_LINKS_PER_HOUR, parse_username
from services.mail.guest_messages import guest_invitation

LIFETIME = dt.timedelta(days=14)


@mutation("guestSignatureInvite")
async def invite(uow: UnitOfWork, *, request_id: str, role: Role, name: str, email: str) -> int:
    """Sends a link to sign the open slot of an employer role; an earlier link for it ends. Returns the request's key.

    Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED or INVALID for the fields, CONFLICT where the slot is not open, the
    person has an account at the provider or is the guest of another slot, and TOO_MANY_ATTEMPTS.
    """
    request = await uow.get(SignatureRequest, request_id, "requestId")
    uow.authorize()
    slots = await slots_by_role(uow.session, request.id)
    uow.require(REQUEST, RequestState.of(request), slots=await slot_signatures(uow, slots.values()))
    name = single_line(uow, name, "name")
    address = parse_username(uow, email, "email")
    if role not in EMPLOYERS:
        uow.add_error(UserErrorCode.INVALID, say("GUEST_ROLE_OF_STAFF"), "role")
    elif role not in slots:
        uow.add_error(UserErrorCode.INVALID, say("ROLE_WITHOUT_SLOT"), "role")
    uow.raise_errors()
    if slots[role].signed_at is not None:
        raise reject(UserErrorCode.CONFLICT, say("SLOT_SIGNED"), "role")
    await _check_guest(uow, slots, role, address)
    await _check_limits(uow, address)
    file = await uow.session.get_one(File, request.file_id)
    if file.sha256 != request.document_sha256:
        raise reject(UserErrorCode.CONFLICT, say("DOCUMENT_CHANGED_SINCE_REQUEST"), "requestId")
    invitation = await _send(uow, request, slots[role], name, clean_line(email))
    uow.audit(
        "SignatureRequest", request.id, learner_id=request.learner_id, slot=role.value, invitation=invitation.id,
        sha256=request.document_sha256,
    )  # fmt: skip
    return request.id


async def _check_guest(uow: UnitOfWork, slots: dict[Role, SignatureSlot], role: Role, address: str) -> None:
    """Rejects a guest who has an account at the provider, the viewer first, or signs in another role."""
    viewer = await uow.session.get_one(User, uow.viewer.user_key)
    if address in (viewer.email.lower(), viewer.username):
        raise not_allowed(say("OWN_GUEST"), "email")
    if await has_account(uow.session, uow.viewer.provider_key, address):
        raise reject(UserErrorCode.CONFLICT, say("GUEST_HAS_ACCOUNT"), "email")
    for other, slot in slots.items():
        if other is not role and (slot.guest_email or "").lower() == address:
            raise reject(UserErrorCode.CONFLICT, say("GUEST_OF_OTHER_ROLE", role=other), "email")


async def _check_limits(uow: UnitOfWork, address: str) -> None:
    hour, day = uow.now - dt.timedelta(hours=1), uow.now - dt.timedelta(days=1)
    same = (GuestInvitation.provider_id == uow.viewer.provider_key, func.lower(GuestInvitation.email) == address)
    if await count_links(uow.session, hour, *same) >= MAX_LINKS_PER_HOUR:
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, say("TOO_MANY_LINKS"), "email")
    most = uow.services.quotas.guest_links_day
    if await count_links(uow.session, day, GuestInvitation.invited_by_id == uow.viewer.user_key) >= most:
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, say("TOO_MANY_GUEST_LINKS", most=most), "requestId")


async def _send(
    uow: UnitOfWork, request: SignatureRequest, slot: SignatureSlot, name: str, email: str
) -> GuestInvitation:
    await end_links(uow.session, slot.id, uow.now)
    one_time, valid_until = uow.services.one_time_secrets.new(email), uow.now + LIFETIME
    invitation = GuestInvitation(
        provider_id=request.provider_id, learner_id=request.learner_id, slot_id=slot.id,
        invited_by_id=uow.viewer.user_key, name=name, email=email, document_sha256=request.document_sha256,
        token_sha256=digest(one_time.secret), invited_at=uow.now, expires_at=valid_until,
    )  # fmt: skip
    uow.session.add(invitation)
    slot.guest_name, slot.guest_email = name, email
    await uow.session.flush()
    learner = await uow.session.get_one(Learner, request.learner_id)
    mail = guest_invitation(
        name=name, document=request.title, learner=(await uow.session.get_one(User, learner.user_id)).name,
        invited_by=uow.viewer.name, provider=(await uow.session.get_one(Provider, request.provider_id)).name,
        role=ENGLISH.value(slot.role, "a"), link=f"{uow.services.base_url}/sign?token={one_time.reference}",
        valid_until=valid_until,
    )  # fmt: skip
    uow.send_mail(email, mail)
    return invitation
