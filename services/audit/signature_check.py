"""Checks signatures against the records that were signed, and against the audit trail.

A signature, or what it confirms, cannot be changed, removed or added without a mismatch with one of the two. Statements
of erased learners cannot be checked; digests, signers, roles and times can.
"""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models.audit_event import AuditEvent
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.learner import Learner
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.unit_signature import UnitSignature
from domain import signing_mutations as signing
from domain.confirmation_statements import (
    document_statement,
    evidence_statement,
    guest_sha256,
    guest_statement,
    unit_statement,
)
from services.audit.batches import Batch, key_range, problems_in
from services.audit.moved_keys import ProviderMoves, moves_by_provider
from services.audit.signature_events import (
    Criteria,
    TrailStarts,
    if_withdrawn,
    is_about_the_learner,
    is_event_of,
    is_signed_content,
    stream_rows,
    trail_problem,
    trail_starts,
    withdrawal_problem,
)

# The actions of audit events that record a document's signature.
_DOCUMENT_ACTIONS = (*signing.DOCUMENTS, signing.BY_GUEST)
# Takes the learner's place in a unit's statement, to split the statement before and after the name.
_NAME = "\0"
_OTHER_STATEMENT = "the statement is not the one that was signed"

_Change = aliased(AuditEvent)


async def signature_problems(session: AsyncSession) -> AsyncIterator[str]:
    """Yields a sentence for each signature that does not match what was signed or the audit trail."""
    async for problem in problems_in(session, check_signatures):
        yield problem


async def check_signatures(session: AsyncSession, position: Any) -> Batch:
    """Checks the next signatures. The position: the number of the part, and the last key of it."""
    part, after = position or (0, None)
    table, problems = _PARTS[part]
    within, last = await key_range(session, table.id, after)
    found = [problem async for problem in problems(session, await trail_starts(session), within)]
    if last is not None:
        return Batch(found, [part, last])
    return Batch(found, [part + 1, None] if part + 1 < len(_PARTS) else None)


async def _evidence_problems(
    session: AsyncSession, starts: TrailStarts, within: ColumnElement[bool]
) -> AsyncIterator[str]:
    signature = EvidenceSignature
    statement = (
        select(
            signature, Evidence.title, File.sha256, Learner.erased_at, EvidenceVersion.id.label("version_id"),
            _retitled().label("retitled"), AuditEvent.id.label("event_id"), AuditEvent.detail,
        )
        .join(Evidence, Evidence.id == signature.evidence_id)
        .join(Learner, Learner.id == signature.learner_id)
        .outerjoin(
            EvidenceVersion,
            and_(
                EvidenceVersion.evidence_id == signature.evidence_id,
                EvidenceVersion.number == signature.version_number,
            ),
        )
        .outerjoin(File, File.id == EvidenceVersion.file_id)
        .outerjoin(AuditEvent, is_event_of(signature, signing.EVIDENCE, "Evidence", signature.evidence_id))
        .where(within)
        .order_by(signature.id)
    )  # fmt: skip
    async for row in stream_rows(session, statement):
        signed = row.EvidenceSignature
        problems = [trail_problem(row, signed, signed.file_sha256, starts)]
        if row.version_id is None:
            problems.append(f"version {signed.version_number} is missing")
        elif row.sha256 != signed.file_sha256:
            problems.append("the file is not the one that was signed")
        if row.erased_at is None and not _is_evidence_statement(signed.statement, row.title, row.retitled):
            problems.append(_OTHER_STATEMENT)
        for problem in filter(None, problems):
            yield f"evidence {signed.evidence_id}, signature {signed.id}: {problem}"


def _is_evidence_statement(statement: str, title: str, retitled: bool) -> bool:
    """Whether it is the statement about evidence of that title; of any title if the evidence was `retitled`."""
    if not retitled:
        return statement in [evidence_statement(title, own_work) for own_work in (True, False)]
    frames = [evidence_statement(_NAME, own_work).split(_NAME) for own_work in (True, False)]
    return any(statement.startswith(before) and statement.endswith(after) for before, after in frames)


async def _document_problems(
    session: AsyncSession, starts: TrailStarts, within: ColumnElement[bool]
) -> AsyncIterator[str]:
    slot = SignatureSlot
    statement = (
        select(
            slot, SignatureRequest.title, SignatureRequest.document_sha256.label("requested_sha256"), File.sha256,
            Learner.erased_at, AuditEvent.id.label("event_id"), AuditEvent.detail,
            _document_withdrawal_recorded().label("withdrawal_recorded"),
        )
        .join(SignatureRequest, SignatureRequest.id == slot.request_id)
        .join(File, File.id == SignatureRequest.file_id)
        .join(Learner, Learner.id == slot.learner_id)
        .outerjoin(AuditEvent, is_event_of(slot, _DOCUMENT_ACTIONS, "SignatureRequest", slot.request_id))
        .where(within)
        .order_by(slot.id)
    )  # fmt: skip
    async for row in stream_rows(session, statement):
        signed = row.SignatureSlot
        problems: list[str | None] = []
        if row.requested_sha256 != row.sha256:
            problems.append("the document is not the one whose signature was requested")
        if signed.signed_at is not None:
            if signed.document_sha256 != row.requested_sha256:
                problems.append("the document is not the one that was signed")
            if row.erased_at is None and signed.statement != _statement_of(signed, row.title):
                problems.append(_OTHER_STATEMENT)
            problems.append(trail_problem(row, signed, signed.document_sha256, starts))
            problems.append(_guest_problem(row, signed))
        problems.append(withdrawal_problem(row, signed, starts))
        for problem in filter(None, problems):
            yield f"document {signed.request_id}, slot {signed.id} ({signed.role.value}): {problem}"


def _document_withdrawal_recorded() -> ColumnElement[bool]:
    """That the request was changed at the time of the withdrawal, in a way that withdraws its signatures."""
    changed = select(_Change.id).where(
        *is_about_the_learner(_Change, SignatureSlot),
        or_(
            and_(
                _Change.subject_type == "SignatureRequest",
                _Change.subject_key == SignatureSlot.request_id,
                _Change.action.in_(signing.WITHDRAW_DOCUMENTS),
            ),
            # It is a change of the review whose document it was.
            _Change.action == "reviewReopen",
        ),
        _Change.at == SignatureSlot.withdrawn_at,
    )
    return if_withdrawn(SignatureSlot.withdrawn_at, changed.correlate(SignatureSlot).exists())


def _statement_of(signed: SignatureSlot, title: str) -> str:
    return document_statement(title) if signed.signed_by_id else guest_statement(title, signed.guest_name or "")


def _guest_problem(row: Any, signed: SignatureSlot) -> str | None:
    if signed.signed_by_id is not None:
        named = signed.guest_name is not None or signed.guest_email is not None
        return "it names a guest, although a user signed" if named else None
    recorded = (row.detail or {}).get("guest_sha256")
    if row.erased_at is None and recorded != guest_sha256(signed.statement or "", signed.guest_email or ""):
        return "the guest is not the one in the audit trail"
    return None


async def _unit_problems(session: AsyncSession, starts: TrailStarts, within: ColumnElement[bool]) -> AsyncIterator[str]:
    signature = UnitSignature
    progress_of_criterion = and_(
        CriterionProgress.aim_id == signature.aim_id, CriterionProgress.criterion_id == QualificationCriterion.id
    )
    statement = (
        select(
            signature, QualificationUnit.number, QualificationUnit.title, Qualification.title.label("qualification"),
            Learner.erased_at, AuditEvent.id.label("event_id"), AuditEvent.detail,
            _withdrawal_recorded().label("withdrawal_recorded"),
            QualificationCriterion.id.label("criterion_id"),
            func.coalesce(CriterionProgress.evidence_count, 0).label("evidence_count"),
            func.coalesce(CriterionProgress.signed_off, False).label("signed_off"),
        )
        .join(QualificationUnit, QualificationUnit.id == signature.unit_id)
        .join(Qualification, Qualification.id == QualificationUnit.qualification_id)
        .join(Learner, Learner.id == signature.learner_id)
        .outerjoin(AuditEvent, is_event_of(signature, signing.UNITS, "Unit", signature.aim_id, signature.unit_id))
        .outerjoin(QualificationCriterion, QualificationCriterion.unit_id == signature.unit_id)
        .outerjoin(CriterionProgress, progress_of_criterion)
        .where(within)
        .order_by(signature.id, QualificationCriterion.id)
    )  # fmt: skip
    moves = await moves_by_provider(session)
    # One row for each criterion of a signed unit; the rows of one signature follow each other.
    first: Any = None
    criteria: Criteria = []
    async for row in stream_rows(session, statement):
        if first is not None and row.UnitSignature.id != first.UnitSignature.id:
            for problem in _problems_of_unit(first, criteria, starts, moves):
                yield problem
            first, criteria = None, []
        first = first or row
        if row.criterion_id is not None:
            criteria.append((row.criterion_id, row.evidence_count, bool(row.signed_off)))
    if first is not None:
        for problem in _problems_of_unit(first, criteria, starts, moves):
            yield problem


def _withdrawal_recorded() -> ColumnElement[bool]:
    """That evidence of the aim was changed at the time of the withdrawal: nothing else withdraws a signature."""
    changed = select(_Change.id).where(
        *is_about_the_learner(_Change, UnitSignature),
        # Evidence that moves from one aim to another belongs to neither in the audit trail.
        or_(_Change.aim_id == UnitSignature.aim_id, _Change.aim_id.is_(None)),
        _Change.action.in_(signing.WITHDRAW_UNITS),
        _Change.at == UnitSignature.withdrawn_at,
    )
    return if_withdrawn(UnitSignature.withdrawn_at, changed.correlate(UnitSignature).exists())


def _retitled() -> ColumnElement[bool]:
    """That the title of the evidence was changed after it was signed."""
    changed = select(_Change.id).where(
        _Change.provider_id == EvidenceSignature.provider_id,
        _Change.subject_type == "Evidence",
        _Change.subject_key == EvidenceSignature.evidence_id,
        _Change.action == "evidenceUpdate",
        _Change.at >= EvidenceSignature.signed_at,
        cast(_Change.detail, Text).like('%"title"%'),
    )
    return changed.correlate(EvidenceSignature).exists()


def _problems_of_unit(row: Any, criteria: Criteria, starts: TrailStarts, moves: ProviderMoves) -> list[str]:
    signed = row.UnitSignature
    problems = [trail_problem(row, signed, signed.content_sha256, starts), withdrawal_problem(row, signed, starts)]
    if signed.completes_unit is not (row.detail or {}).get("completes_unit", signed.completes_unit):
        problems.append("whether it completes the unit is not what the audit trail says")
    before_name, after_name = unit_statement(row.number, row.title, row.qualification, _NAME).split(_NAME)
    if row.erased_at is None:
        if not (signed.statement.startswith(before_name) and signed.statement.endswith(after_name)):
            problems.append(_OTHER_STATEMENT)
        elif signed.withdrawn_at is None and not is_signed_content(signed, criteria, moves):
            problems.append("the statement or the criteria are not those that were signed")
    prefix = f"unit {signed.unit_id} of aim {signed.aim_id}, signature {signed.id}"
    return [f"{prefix}: {problem}" for problem in problems if problem]


async def _missing_signatures(session: AsyncSession, _: TrailStarts, within: ColumnElement[bool]) -> AsyncIterator[str]:
    """Yields a sentence for each audit event of a signature that does not exist."""
    evidence_event = is_event_of(EvidenceSignature, signing.EVIDENCE, "Evidence", EvidenceSignature.evidence_id)
    document_event = is_event_of(SignatureSlot, _DOCUMENT_ACTIONS, "SignatureRequest", SignatureSlot.request_id)
    unit_event = is_event_of(UnitSignature, signing.UNITS, "Unit", UnitSignature.aim_id, UnitSignature.unit_id)
    # listed: each kind of signature has events of its own
    checks: list[tuple[str, tuple[str, ...], Any, ColumnElement[bool]]] = [
        ("evidence", signing.EVIDENCE, EvidenceSignature, evidence_event),
        ("document", _DOCUMENT_ACTIONS, SignatureSlot, document_event),
        ("a unit of aim", signing.UNITS, UnitSignature, unit_event),
    ]
    for subject, actions, table, is_event in checks:
        statement = (
            select(AuditEvent.sequence, AuditEvent.provider_id, AuditEvent.subject_key)
            .outerjoin(table, is_event)
            .where(within, AuditEvent.action.in_(actions), table.id.is_(None))
            .order_by(AuditEvent.provider_id, AuditEvent.sequence)
        )
        async for row in stream_rows(session, statement):
            yield (
                f"provider {row.provider_id}: line {row.sequence} of the audit trail says that {subject} "
                f"{row.subject_key} was signed, but there is no such signature"
            )


# The parts of the check: the table whose keys are its positions, and what finds the problems.
# listed: each kind of signature has a check of its own
_PARTS: list[tuple[Any, Any]] = [
    (EvidenceSignature, _evidence_problems),
    (SignatureSlot, _document_problems),
    (UnitSignature, _unit_problems),
    (AuditEvent, _missing_signatures),
]
