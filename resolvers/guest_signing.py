"""A guest opens the document of their link and signs it with a code that is sent to the address of the link.

Each step checks what may have ended the link: its use, a newer one, its time, a change of the document, a signature of
somebody else in the same role, or an account that the person has by now.
"""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth import signing_code
from auth.credentials import count_attempt
from auth.login_throttle import Allowance, clear_attempt
from auth.signed_urls import DOWNLOAD
from auth.tokens import digest
from db.models.guest_invitation import GuestInvitation
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock
from domain.confirmation_statements import guest_sha256, guest_statement
from domain.enums import SignatureRequestStatus, UserErrorCode
from domain.errors import reject
from domain.guest_document import GuestDocument
from domain.network import network_of
from domain.sentences import ENGLISH, say
from domain.text import clean_line
from repositories.guest_invitation import GuestLink, end_links, has_account, lock_link, read_link
from repositories.signature_request import count_open_slots, fill_slot
from resolvers.core.context import Client, Context, Services
from resolvers.core.signing_password import MAILED_CODE
from resolvers.core.validation import MAX_SINGLE_LINE
from resolvers.core.write_transaction import WriteTransaction
from services.mail.guest_messages import guest_code

DOCUMENT_LIFETIME = dt.timedelta(minutes=5)
_PURPOSE = "guest signing code"


class GuestTransaction(WriteTransaction):
    """A change that the holder of a link makes, without a viewer."""

    def audit(self, link: GuestLink, **detail: object) -> None:
        """Records the audit event of the change, without a user and in the role of the slot."""
        self._add_event(
            link.provider_key, None, link.role, subject_type="SignatureRequest", subject_key=link.request_key,
            learner_id=link.learner_key, detail={"invitation": link.key, **detail},
        )  # fmt: skip
        self._notify(link.provider_key)
        self.changed_learners.add(link.learner_key)

    def send_code(self, link: GuestLink, code: str) -> None:
        """Sends the code to the address of the link, if the transaction commits."""
        mail = guest_code(name=link.name, document=link.title, code=code, valid_until=self.now + signing_code.LIFETIME)
        self._queue_mail(link.provider_key, link.email, mail)


class GuestSigningService:
    """What the page of a link does (`domain.guest_document.GuestSigning`).

    Every method rejects a link that has ended with NOT_FOUND at `token`.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def read(self, token: str, name: str, address: str, request_id: str | None) -> GuestDocument:
        """Returns what the link is for. Rejects with TOO_MANY_ATTEMPTS a network that tries many links."""
        return _document(await self._open_link(token, address), clean_line(name))

    async def open(self, token: str, address: str, request_id: str | None) -> str:
        """Records that the document was opened. Returns the path of a link to its bytes."""
        client = Client(address, request_id)
        async with self._change(token, client, "guestSignatureOpen") as (transaction, link, invitation):
            if invitation.opened_at is None:
                invitation.opened_at = transaction.now
                transaction.audit(link, sha256=link.document_sha256)
        expires_at = clock.now() + DOCUMENT_LIFETIME
        return f"/downloads/{self._services.links.sign(DOWNLOAD, {'guest': link.key}, expires_at)}"

    async def send_code(self, token: str, name: str, address: str, request_id: str | None) -> GuestDocument:
        """Sends a code, valid for 10 minutes; earlier ones end.

        Rejects with REQUIRED or INVALID at `name`, CONFLICT where the document was not opened, and TOO_MANY_ATTEMPTS
        after 5 codes in an hour.
        """
        name = _name(name)
        client = Client(address, request_id)
        async with self._change(token, client, "guestSigningCode") as (transaction, link, invitation):
            if invitation.opened_at is None:
                raise reject(UserErrorCode.CONFLICT, say("DOCUMENT_NOT_OPENED"), "token")
            if invitation.codes_since is None or invitation.codes_since <= transaction.now - signing_code.WINDOW:
                invitation.codes_since, invitation.codes_sent = transaction.now, 0
            if invitation.codes_sent >= signing_code.MAX_CODES:
                message = say("TOO_MANY_SIGNING_CODES", most=signing_code.MAX_CODES)
                raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "token")
            made = self._services.one_time_secrets.new_code(link.email)
            invitation.codes_sent += 1
            invitation.code_mac = self._services.tokens.derive(_PURPOSE, f"{link.key}:{made.secret}")
            invitation.code_expires_at = transaction.now + signing_code.LIFETIME
            transaction.send_code(link, made.reference)
        return _document(link, name)

    async def sign(self, token: str, name: str, code: str, address: str, request_id: str | None) -> GuestDocument:
        """Signs the slot of the link, which ends.

        Rejects as `send_code` does, and with WRONG_PASSWORD at `code` or TOO_MANY_ATTEMPTS after 10 wrong codes.
        """
        name = _name(name)
        link = await self._open_link(token, address)
        attempt = await count_attempt(
            self._services.database, Allowance(f"guest-code:{link.key}"), "TOO_MANY_WRONG_CODES", "code"
        )
        refused = False
        client = Client(address, request_id)
        async with self._change(token, client, "guestSignatureSign") as (transaction, link, invitation):
            if self._is_code(invitation, code, transaction.now):
                await _sign(transaction, link, name)
                await clear_attempt(transaction.session, attempt)
            else:
                refused = True
                transaction.action = "signingRefused"
                transaction.audit(link, mutation="guestSignatureSign")
        if refused:
            raise reject(UserErrorCode.WRONG_PASSWORD, say("GUEST_CODE_WRONG"), "code")
        return _document(link, name)

    async def _open_link(self, token: str, address: str) -> GuestLink:
        database = self._services.database
        link = await read_link(database, digest(token))
        if link is None:
            await count_attempt(database, Allowance(f"guest:{network_of(address)}"), "TOO_MANY_WRONG_LINKS", "token")
            raise _unknown_link()
        _require_open(link)
        return link

    def _is_code(self, invitation: GuestInvitation, code: str, now: dt.datetime) -> bool:
        typed = "".join(filter(str.isalnum, code))
        mac, expires_at = invitation.code_mac, invitation.code_expires_at
        if mac is None or expires_at is None or expires_at <= now:
            return False
        return self._services.tokens.is_derived(mac, _PURPOSE, f"{invitation.id}:{typed}")

    @asynccontextmanager
    async def _change(
        self, token: str, client: Client, action: str
    ) -> AsyncIterator[tuple[GuestTransaction, GuestLink, GuestInvitation]]:
        """Opens a change by the holder of an open link, with the row of the link and its document locked."""
        await self._open_link(token, client.address)
        async with self._services.database.writing() as session:
            transaction = GuestTransaction(Context(self._services, client=client), session, action)
            found = await lock_link(session, digest(token))
            if found is None:
                raise _unknown_link()
            link, invitation = found
            _require_open(link)
            if await has_account(session, link.provider_key, link.email):
                raise reject(UserErrorCode.NOT_FOUND, say("LINK_OF_ACCOUNT"), "token")
            yield transaction, link, invitation
            await transaction.finish()
        await transaction.committed()


def _name(name: str) -> str:
    """Returns the name as the guest signs. Rejects with REQUIRED or INVALID at `name`."""
    name = clean_line(name)
    if not name:
        raise reject(UserErrorCode.REQUIRED, say("GUEST_NAME_MISSING"), "name")
    if len(name) > MAX_SINGLE_LINE:
        message = say("TEXT_TOO_LONG", length=len(name), most=MAX_SINGLE_LINE)
        raise reject(UserErrorCode.INVALID, message, "name")
    return name


def _unknown_link() -> Exception:
    return reject(UserErrorCode.NOT_FOUND, say("LINK_UNKNOWN"), "token")


async def _sign(transaction: GuestTransaction, link: GuestLink, name: str) -> None:
    session = transaction.session
    slot = await session.get_one(SignatureSlot, link.slot_key)
    # The document is locked, so that the slot is still open.
    statement = guest_statement(link.title, name)
    await fill_slot(
        session, slot, signed_at=transaction.now, guest_name=name, guest_email=link.email, statement=statement,
        document_sha256=link.requested_sha256,
    )  # fmt: skip
    await end_links(session, link.slot_key, transaction.now)
    if await count_open_slots(session, link.request_key) == 0:
        request = await session.get_one(SignatureRequest, link.request_key)
        request.status = SignatureRequestStatus.COMPLETE
    transaction.audit(
        link, sha256=link.requested_sha256, guest_sha256=guest_sha256(statement, link.email),
        confirmed_by=MAILED_CODE,
    )  # fmt: skip


def _require_open(link: GuestLink) -> None:
    if link.status is SignatureRequestStatus.CANCELLED:
        message = say("REQUEST_CANCELLED")
    elif link.ended_at is not None and link.signed_at is None:
        message = say("LINK_REPLACED")
    elif link.signed_at is not None:
        message = say("LINK_SIGNED", role=link.role)
    elif link.expires_at <= clock.now():
        message = say("LINK_EXPIRED", invited_by=link.invited_by)
    elif not link.document_sha256 == link.requested_sha256 == link.stored_sha256:
        message = say("LINK_OF_OTHER_DOCUMENT", invited_by=link.invited_by)
    else:
        return
    raise reject(UserErrorCode.NOT_FOUND, message, "token")


def _document(link: GuestLink, name: str) -> GuestDocument:
    local, _, domain = link.email.rpartition("@")
    return GuestDocument(
        title=link.title, learner=link.learner, invited_by=link.invited_by, provider=link.provider,
        role=ENGLISH.value(link.role, "a"), address=f"{local[:1]}…@{domain}",
        statement=guest_statement(link.title, name) if name else None,
    )  # fmt: skip
