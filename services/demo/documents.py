"""Adds a learner's documents: those to sign, resources, the CV and the photo."""

import datetime as dt
from typing import Any

from db.models.cv import CvDocument, CvSection
from db.models.resource import Resource
from db.models.session import SessionFile
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import confirmation_statements as statements
from domain.clock import london_time
from domain.enums import CvDocumentKind, ResourceBucket, Role, SessionStatus, SessionType, SignatureRequestStatus
from services.demo import texts
from services.demo.portfolio import Portfolio
from services.demo.sample_files import SampleFile, docx, pdf, portrait, sample


def add_session_documents(portfolio: Portfolio, sessions: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Adds the training plan of the induction and the record of each review: signed, or waiting if recent.

    Returns the rows of the signature requests by the session's key.
    """
    requests = {}
    for session in sessions:
        if session["status"] is not SessionStatus.ATTENDED:
            continue
        if session["type"] is SessionType.INDUCTION:
            document, title = pdf("Training plan"), "Training plan"
        elif session["type"] is SessionType.FORMAL_REVIEW and not portfolio.lean:
            document, title = pdf("12-week progress review"), f"12-week progress review, session {session['number']}"
        else:
            continue
        requested_at = session["completed_at"] + dt.timedelta(minutes=10)
        recent = portfolio.active and requested_at > london_time(portfolio.today - dt.timedelta(days=45))
        signers = {Role.ASSESSOR: portfolio.assessor, Role.LEARNER: portfolio.learner["user_id"]}
        if portfolio.managers:
            signers[Role.EMPLOYER_MANAGER] = portfolio.managers[0]
        signed = 1 if recent else len(signers)
        request = add_signature_request(portfolio, title, document, requested_at, signers, signed)
        portfolio.rows.add(SessionFile, session_id=session["id"], file_id=request["file_id"], **portfolio.owner)
        requests[session["id"]] = request
    return requests


def add_signature_request(
    portfolio: Portfolio, title: str, document: SampleFile, requested_at: dt.datetime, signers: dict[Role, int],
    signed: int, cancelled: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Adds a document with a slot for each role, the first `signed` of them signed; returns the request's row."""
    rows, owner = portfolio.rows, portfolio.owner
    file = portfolio.add_file(document, requested_at, portfolio.assessor)
    status = SignatureRequestStatus.COMPLETE if signed == len(signers) else SignatureRequestStatus.PENDING
    request = rows.add(
        SignatureRequest, title=title, file_id=file["id"], document_sha256=file["sha256"],
        status=SignatureRequestStatus.CANCELLED if cancelled else status, requested_by_id=portfolio.assessor,
        requested_at=requested_at, **owner,
    )  # fmt: skip
    portfolio.log(
        requested_at, portfolio.assessor, Role.ASSESSOR, "signatureRequestCreate", "SignatureRequest", request["id"]
    )
    for position, (role, signer) in enumerate(signers.items()):
        at = requested_at + dt.timedelta(hours=1 + position) if position < signed else None
        rows.add(
            SignatureSlot, request_id=request["id"], role=role, signed_by_id=signer if at else None,
            signed_at=at, statement=statements.document_statement(title) if at else None,
            document_sha256=file["sha256"] if at else None, **owner,
        )  # fmt: skip
        if at:
            portfolio.log(at, signer, role, "signatureRequestSign", "SignatureRequest", request["id"])
    return request


def add_resources(portfolio: Portfolio) -> None:
    """Adds resources to both buckets of each aim."""
    for aim in portfolio.aims:
        resources = [(ResourceBucket.RESOURCES, title, key) for title, key in texts.RESOURCES]
        resources += [(ResourceBucket.FILES_FROM_COURSE, title, key) for title, key in texts.COURSE_FILES]
        for bucket, title, key in resources[:1] if portfolio.lean else resources:
            at = london_time(min(aim.start, portfolio.settled), 12)
            # A lean portfolio has one file only, because a large cohort is to be large in rows, not in files.
            content = sample("wheel" if portfolio.lean else key)
            file = portfolio.add_file(content, at, aim.assessor, aim.key)
            portfolio.rows.add(
                Resource, aim_id=aim.key, bucket=bucket, title=title, file_id=file["id"],
                added_by_id=aim.assessor, added_at=at, **portfolio.owner,
            )  # fmt: skip


def add_cv(portfolio: Portfolio, with_documents: bool) -> None:
    """Adds all sections of the CV, and with `with_documents` one document of each kind."""
    at = london_time(min(portfolio.first_day + dt.timedelta(days=10), portfolio.settled), 20)
    for name, text in texts.CV.items():
        portfolio.rows.add(CvSection, name=name, text=text, updated_at=at, **portfolio.owner)
    if not with_documents:
        return
    for kind, document in (
        (CvDocumentKind.CV, docx("Curriculum vitae")),
        (CvDocumentKind.JOB_DESCRIPTION, pdf("Job description: apprentice cycle technician")),
        (CvDocumentKind.COMPANY_PROFILE, pdf("Company profile")),
        (CvDocumentKind.OTHER, pdf("Individual learning plan")),
    ):
        file = portfolio.add_file(document, at, portfolio.learner["user_id"])
        portfolio.rows.add(CvDocument, kind=kind, file_id=file["id"], added_at=at, **portfolio.owner)


def add_photo(portfolio: Portfolio, number: int) -> None:
    """Adds a portrait as the learner's photo."""
    at = london_time(min(portfolio.first_day, portfolio.settled), 10)
    file = portfolio.add_file(portrait(number), at, portfolio.learner["user_id"])
    portfolio.learner["photo_file_id"] = file["id"]
