"""A learner's papers in the demo: documents to sign, resources, the CV, and the photo."""

import datetime as dt
from typing import Any

from db.models import registry as tables
from domain import confirmation_statements as signing
from domain.enums import CvDocumentKind, ResourceBucket, Role, SessionStatus, SessionType, SignatureRequestStatus
from services.demo import sample_files as files
from services.demo import texts as words
from services.demo.bulk_rows import at
from services.demo.learner_builder import SAMPLES, Portfolio
from services.demo.sample_files import Sample


def add_reviews(portfolio: Portfolio, sessions: list[dict[str, Any]]) -> None:
    """The training plan from the induction and each review's record: signed by all, or waiting where it is new."""
    for session in sessions:
        if session["status"] is not SessionStatus.ATTENDED:
            continue
        if session["type"] is SessionType.INDUCTION:
            sample, title = files.pdf("Training plan"), "Training plan"
        elif session["type"] is SessionType.FORMAL_REVIEW and not portfolio.lean:
            sample, title = (
                files.pdf("12-week progress review"),
                f"12-week progress review, session {session['number']}",
            )
        else:
            continue
        asked = session["completed_at"] + dt.timedelta(minutes=10)
        new = portfolio.active and asked > at(portfolio.today - dt.timedelta(days=45))
        signers = {Role.ASSESSOR: portfolio.assessor, Role.LEARNER: portfolio.learner["user_id"]}
        if portfolio.managers:
            signers[Role.EMPLOYER_MANAGER] = portfolio.managers[0]
        signed = 1 if new else len(signers)
        file = add_request(portfolio, title, sample, asked, signers, signed)
        portfolio.rows.add(tables.SessionFile, session_id=session["id"], file_id=file["id"], **portfolio.mine)


def add_request(
    portfolio: Portfolio, title: str, sample: Sample, asked: dt.datetime, signers: dict[Role, int | None], signed: int,
    cancelled: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A document to sign with a slot for each role, the first `signed` of them filled; gives its file."""
    rows, mine = portfolio.rows, portfolio.mine
    file = portfolio.file(sample, asked, portfolio.assessor)
    status = SignatureRequestStatus.COMPLETE if signed == len(signers) else SignatureRequestStatus.PENDING
    request = rows.add(
        tables.SignatureRequest, title=title, file_id=file["id"], document_sha256=file["sha256"],
        status=SignatureRequestStatus.CANCELLED if cancelled else status, requested_by_id=portfolio.assessor,
        requested_at=asked, **mine,
    )  # fmt: skip
    portfolio.note(
        asked, portfolio.assessor, Role.ASSESSOR, "signatureRequestCreate", "SignatureRequest", request["id"]
    )
    for place, (role, signer) in enumerate(signers.items()):
        moment = asked + dt.timedelta(hours=1 + place) if place < signed else None
        rows.add(
            tables.SignatureSlot, request_id=request["id"], role=role, signed_by_id=signer if moment else None,
            signed_at=moment, statement=signing.document_statement(title) if moment else None,
            document_sha256=file["sha256"] if moment else None, **mine,
        )  # fmt: skip
        if moment:
            portfolio.note(moment, signer, role, "signatureRequestSign", "SignatureRequest", request["id"])
    return file


def add_resources(portfolio: Portfolio) -> None:
    """Material in both buckets of each aim."""
    for aim in portfolio.aims:
        given = [(ResourceBucket.RESOURCES, *entry) for entry in words.RESOURCES]
        given += [(ResourceBucket.FILES_FROM_COURSE, *entry) for entry in words.COURSE_FILES]
        for bucket, title, sample in given[:1] if portfolio.lean else given:
            moment = at(min(aim.start, portfolio.settled), 12)
            # A lean portfolio has one file, so that a large cohort is made of rows and not of files.
            content = SAMPLES["wheel" if portfolio.lean else sample]()
            file = portfolio.file(content, moment, aim.assessor, aim.key)
            portfolio.rows.add(
                tables.Resource, aim_id=aim.key, bucket=bucket, title=title, file_id=file["id"],
                added_by_id=aim.assessor, added_at=moment, **portfolio.mine,
            )  # fmt: skip


def add_cv(portfolio: Portfolio, documents: bool) -> None:
    """All sections of the CV; with `documents` also a CV, a job description, a company profile and a learning plan."""
    moment = at(min(portfolio.first_day + dt.timedelta(days=10), portfolio.settled), 20)
    for name, text in words.CV.items():
        portfolio.rows.add(tables.CvSection, name=name, text=text, updated_at=moment, **portfolio.mine)
    for kind, sample in (
        (
            (CvDocumentKind.CV, files.docx("Curriculum vitae")),
            (CvDocumentKind.JOB_DESCRIPTION, files.pdf("Job description: apprentice cycle technician")),
            (CvDocumentKind.COMPANY_PROFILE, files.pdf("Company profile")),
            (CvDocumentKind.OTHER, files.pdf("Individual learning plan")),
        )
        if documents
        else ()
    ):
        file = portfolio.file(sample, moment, portfolio.learner["user_id"])
        portfolio.rows.add(tables.CvDocument, kind=kind, file_id=file["id"], added_at=moment, **portfolio.mine)


def add_photo(portfolio: Portfolio, number: int) -> None:
    """A drawn portrait as the learner's photo."""
    moment = at(min(portfolio.first_day, portfolio.settled), 10)
    file = portfolio.file(files.portrait(number), moment, portfolio.learner["user_id"])
    portfolio.learner["photo_file_id"] = file["id"]
