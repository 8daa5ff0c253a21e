"""What the demo adds after all other rows and without its random generator, so that the others stay as they were:
evidence that was withdrawn, documents for people who sign without an account, and one that was cancelled."""

import datetime as dt
from collections.abc import Sequence
from hashlib import sha256

from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.guest_invitation import GuestInvitation
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import confirmation_statements as statements
from domain.clock import london_time
from domain.enums import AimStatus, EvidenceStatus, Role, SignatureRequestStatus
from services.demo import texts
from services.demo.documents import add_signature_request
from services.demo.portfolio import Portfolio
from services.demo.sample_files import pdf, sample

# Every so many learners has withdrawn evidence.
_EVERY = 6
LIFETIME = dt.timedelta(days=14)
_GUEST, _ADDRESS = "Jo Miller", "jo.miller@tworivers.example"


def add_later_rows(portfolios: Sequence[Portfolio]) -> None:
    """Adds the rows of all learners of a provider."""
    for portfolio in portfolios:
        if portfolio.learner["id"] % _EVERY == 1 and portfolio.active:
            _add_withdrawn_evidence(portfolio)
    # Whose managers have no account: one has signed, one has not yet, and the link of one is too old.
    without = [each for each in portfolios if each.active and not each.managers]
    for portfolio, days, signed in zip(without, (6, 6, 20), (True, False, False), strict=False):
        _add_guest_document(portfolio, days, signed)
    _add_cancelled_document(portfolios[0])


def _add_withdrawn_evidence(portfolio: Portfolio) -> None:
    """Adds evidence that the learner withdrew on the day after, before it was assessed."""
    aim = next(aim for aim in portfolio.aims if aim.status is AimStatus.IN_TRAINING)
    learner, key = portfolio.learner["user_id"], portfolio.learner["id"]
    title, description, content, _ = texts.EVIDENCE[key % len(texts.EVIDENCE)]
    day = max(portfolio.last_day - dt.timedelta(days=4 + key % 30), aim.start)
    at, withdrawn_at = london_time(day, 16, key % 60), london_time(day + dt.timedelta(days=1), 9, key % 60)
    file = portfolio.add_file(sample(content), at, learner, aim.key)
    evidence = portfolio.rows.add(
        Evidence, aim_id=aim.key, title=title, description=description, status=EvidenceStatus.WITHDRAWN,
        file_id=file["id"], declared_own_work=True, submitted_by_id=learner, submitted_at=at, assessment_methods=[],
        withdrawn_at=withdrawn_at, withdrawn_reason=texts.WITHDRAWN[key % len(texts.WITHDRAWN)], **portfolio.owner,
    )  # fmt: skip
    portfolio.rows.add(
        EvidenceVersion, evidence_id=evidence["id"], number=1, file_id=file["id"], comment=None,
        submitted_by_id=learner, submitted_at=at, **portfolio.owner,
    )  # fmt: skip
    portfolio.rows.add(
        EvidenceSignature, evidence_id=evidence["id"], version_number=1, role=Role.LEARNER, signed_by_id=learner,
        signed_at=at, statement=statements.evidence_statement(title, True), file_sha256=file["sha256"],
        **portfolio.owner,
    )  # fmt: skip
    for when, action in ((at, "evidenceSubmit"), (withdrawn_at, "evidenceWithdraw")):
        portfolio.log(when, learner, Role.LEARNER, action, "Evidence", evidence["id"], aim=aim.key)


def _add_guest_document(portfolio: Portfolio, days: int, signed: bool) -> None:
    """Adds a document for an Employer Manager without an account, requested so many days ago: signed through the link,
    or not.

    The link itself is not in the demo: no e-mail has it, and nobody knows of what its stored digest is one.
    """
    requested_at = london_time(portfolio.today - dt.timedelta(days=days), 10)
    opened_at, signed_at = requested_at + dt.timedelta(hours=4), requested_at + dt.timedelta(hours=5)
    title, role = "Training plan", Role.EMPLOYER_MANAGER
    file = portfolio.add_file(pdf(title), requested_at, portfolio.assessor)
    status = SignatureRequestStatus.COMPLETE if signed else SignatureRequestStatus.PENDING
    request = portfolio.rows.add(
        SignatureRequest, title=title, file_id=file["id"], document_sha256=file["sha256"], status=status,
        requested_by_id=portfolio.assessor, requested_at=requested_at, **portfolio.owner,
    )  # fmt: skip
    statement = statements.guest_statement(title, _GUEST)
    signature = {"signed_at": signed_at, "statement": statement, "document_sha256": file["sha256"]} if signed else {}
    slot = portfolio.rows.add(
        SignatureSlot, request_id=request["id"], role=role, guest_name=_GUEST, guest_email=_ADDRESS, **signature,
        **portfolio.owner,
    )  # fmt: skip
    portfolio.rows.add(
        GuestInvitation, slot_id=slot["id"], invited_by_id=portfolio.assessor, name=_GUEST, email=_ADDRESS,
        document_sha256=file["sha256"], token_sha256=sha256(f"{slot['id']} {title}".encode()).hexdigest()[::-1],
        invited_at=requested_at, expires_at=requested_at + LIFETIME, opened_at=opened_at if signed else None,
        ended_at=signed_at if signed else None, **portfolio.owner,
    )  # fmt: skip
    subject, digest = ("SignatureRequest", request["id"]), file["sha256"]
    for action in ("signatureRequestCreate", "guestSignatureInvite"):
        portfolio.log(requested_at, portfolio.assessor, Role.ASSESSOR, action, *subject)
    if signed:
        portfolio.log(opened_at, None, role, "guestSignatureOpen", *subject, sha256=digest)
        guest = statements.guest_sha256(statement, _ADDRESS)
        portfolio.log(signed_at, None, role, "guestSignatureSign", *subject, sha256=digest, guest_sha256=guest)


def _add_cancelled_document(portfolio: Portfolio) -> None:
    """Adds a document that the learner had signed when the request was cancelled: the signature is kept, withdrawn."""
    requested_at = london_time(portfolio.today - dt.timedelta(days=18), 11)
    cancelled_at = requested_at + dt.timedelta(days=2)
    signers = {Role.LEARNER: portfolio.learner["user_id"], Role.ASSESSOR: portfolio.assessor}
    title = "Training plan: change of days"
    request = add_signature_request(portfolio, title, pdf("Training plan"), requested_at, signers, 1, cancelled=True)
    for slot in portfolio.rows.of(SignatureSlot):
        if slot["request_id"] == request["id"] and slot["signed_at"] is not None:
            slot |= {"withdrawn_at": cancelled_at, "withdrawn_reason": "The request for signatures was cancelled."}
    subject = ("SignatureRequest", request["id"])
    portfolio.log(cancelled_at, portfolio.assessor, Role.ASSESSOR, "signatureRequestCancel", *subject)
