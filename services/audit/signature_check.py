"""Checks signatures: what each was put on against what is there now, and each against the audit trail's line of it.

Nobody can change a signature, what it confirms, or take one away or add one, without one of the two no longer fitting.
An erased learner's words are gone; the digests, and who signed when in which role, are checked all the same.
"""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
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
from domain.confirmation_statements import document_statement, evidence_statement, unit_sha256, unit_statement

_AT_ONCE = {"yield_per": 500}
# The mutations whose lines stand for a signature.
_EVIDENCE_LINES = ("evidenceSubmit", "evidenceSign")
_DOCUMENT_LINES = ("signatureRequestSign",)
_UNIT_LINES = ("unitSign",)
# The learner's name stands between the two halves of a unit's statement.
_NAME = "\0"

_Assessment = aliased(AuditEvent)

# When each provider's trail begins, by provider: what was signed before was brought in with the data, and has no line.
Beginnings = dict[int, dt.datetime]


async def signature_problems(session: AsyncSession) -> AsyncIterator[str]:
    """A sentence for each signature that no longer fits what it was put on, or the trail; nothing where all do."""
    begins = await _beginnings(session)
    for check in (_evidence, _documents, _units):
        async for sentence in check(session, begins):
            yield sentence
    async for sentence in _without_signature(session):
        yield sentence


async def _rows(session: AsyncSession, statement: Select[Any]) -> AsyncIterator[Row[Any]]:
    async for row in await session.stream(statement.execution_options(**_AT_ONCE)):
        yield row


def _line_of(signature: Any, actions: Sequence[str], subject: str, key: Any, part: Any = None) -> ColumnElement[bool]:
    """That an audit line is the one of a signature: the same record, person, role and moment."""
    return and_(
        AuditEvent.provider_id == signature.provider_id,
        AuditEvent.learner_id == signature.learner_id,
        AuditEvent.subject_type == subject,
        AuditEvent.subject_key == key,
        AuditEvent.subject_part.is_(None) if part is None else AuditEvent.subject_part == part,
        AuditEvent.action.in_(actions),
        AuditEvent.actor_id == signature.signed_by_id,
        AuditEvent.role == signature.role,
        AuditEvent.at == signature.signed_at,
    )


async def _beginnings(session: AsyncSession) -> Beginnings:
    first = select(AuditEvent.provider_id, func.min(AuditEvent.at)).group_by(AuditEvent.provider_id)
    return {provider: moment for provider, moment in await session.execute(first)}


def _against_the_trail(row: Row[Any], signed: Any, sha256: str | None, begins: Beginnings) -> str | None:
    if row.line is None:
        begin = begins.get(signed.provider_id)
        if begin is None or signed.signed_at < begin:
            return None
        return "the audit trail has no line of it: it was added, or its signer, role or time was changed"
    told = (row.detail or {}).get("sha256")
    return "its digest is not the one in the audit trail" if told not in (None, sha256) else None


async def _evidence(session: AsyncSession, begins: Beginnings) -> AsyncIterator[str]:
    signature = EvidenceSignature
    statement = (
        select(
            signature, Evidence.title, File.sha256, Learner.erased_at, EvidenceVersion.id.label("version"),
            AuditEvent.id.label("line"), AuditEvent.detail,
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
        .outerjoin(AuditEvent, _line_of(signature, _EVIDENCE_LINES, "Evidence", signature.evidence_id))
        .order_by(signature.id)
    )  # fmt: skip
    async for row in _rows(session, statement):
        signed = row.EvidenceSignature
        words = [evidence_statement(row.title, own_work) for own_work in (True, False)]
        for fault in (
            None if row.version else f"version {signed.version_number} is not there",
            None
            if row.version is None or row.sha256 == signed.file_sha256
            else "the file is not the one that was signed",
            None if row.erased_at or signed.statement in words else "the words are not those that were signed",
            _against_the_trail(row, signed, signed.file_sha256, begins),
        ):
            if fault:
                yield f"evidence {signed.evidence_id}, signature {signed.id}: {fault}"


async def _documents(session: AsyncSession, begins: Beginnings) -> AsyncIterator[str]:
    slot = SignatureSlot
    statement = (
        select(
            slot, SignatureRequest.title, SignatureRequest.document_sha256.label("asked"), File.sha256,
            Learner.erased_at, AuditEvent.id.label("line"), AuditEvent.detail,
        )
        .join(SignatureRequest, SignatureRequest.id == slot.request_id)
        .join(File, File.id == SignatureRequest.file_id)
        .join(Learner, Learner.id == slot.learner_id)
        .outerjoin(AuditEvent, _line_of(slot, _DOCUMENT_LINES, "SignatureRequest", slot.request_id))
        .order_by(slot.id)
    )  # fmt: skip
    async for row in _rows(session, statement):
        signed = row.SignatureSlot
        faults = [None if row.asked == row.sha256 else "the document is not the one that was to be signed"]
        if signed.signed_at is not None:
            same_words = row.erased_at or signed.statement == document_statement(row.title)
            faults += [
                None if signed.document_sha256 == row.asked else "the document is not the one that was signed",
                None if same_words else "the words are not those that were signed",
                _against_the_trail(row, signed, signed.document_sha256, begins),
            ]
        for fault in filter(None, faults):
            yield f"document {signed.request_id}, slot {signed.id} ({signed.role.value}): {fault}"


async def _units(session: AsyncSession, begins: Beginnings) -> AsyncIterator[str]:
    signature = UnitSignature
    reached = and_(
        CriterionProgress.aim_id == signature.aim_id, CriterionProgress.criterion_id == QualificationCriterion.id
    )
    statement = (
        select(
            signature, QualificationUnit.number, QualificationUnit.title, Qualification.title.label("qualification"),
            Learner.erased_at, AuditEvent.id.label("line"), AuditEvent.detail, _taken_back().label("taken_back"),
            QualificationCriterion.id.label("criterion"),
            func.coalesce(CriterionProgress.evidence_count, 0).label("count"),
            func.coalesce(CriterionProgress.signed_off, False).label("met"),
        )
        .join(QualificationUnit, QualificationUnit.id == signature.unit_id)
        .join(Qualification, Qualification.id == QualificationUnit.qualification_id)
        .join(Learner, Learner.id == signature.learner_id)
        .outerjoin(AuditEvent, _line_of(signature, _UNIT_LINES, "Unit", signature.aim_id, signature.unit_id))
        .outerjoin(QualificationCriterion, QualificationCriterion.unit_id == signature.unit_id)
        .outerjoin(CriterionProgress, reached)
        .order_by(signature.id, QualificationCriterion.id)
    )  # fmt: skip
    first: Row[Any] | None = None
    criteria: list[tuple[int, int, bool]] = []
    async for row in _rows(session, statement):
        if first is not None and row.UnitSignature.id != first.UnitSignature.id:
            for sentence in _unit(first, criteria, begins):
                yield sentence
            first, criteria = None, []
        first = first or row
        if row.criterion is not None:
            criteria.append((row.criterion, row.count, bool(row.met)))
    if first is not None:
        for sentence in _unit(first, criteria, begins):
            yield sentence


def _taken_back() -> ColumnElement[bool]:
    """That an assessment of the signature's aim happened when the signature was taken back: nothing else does that."""
    assessed = select(_Assessment.id).where(
        _Assessment.provider_id == UnitSignature.provider_id,
        _Assessment.aim_id == UnitSignature.aim_id,
        _Assessment.action == "evidenceAssess",
        _Assessment.at == UnitSignature.withdrawn_at,
    )
    return assessed.correlate(UnitSignature).exists()


def _unit(row: Row[Any], criteria: list[tuple[int, int, bool]], begins: Beginnings) -> list[str]:
    signed = row.UnitSignature
    faults = [_against_the_trail(row, signed, signed.content_sha256, begins)]
    trail_begins = begins.get(signed.provider_id)
    if signed.withdrawn_at and not row.taken_back and trail_begins and signed.withdrawn_at >= trail_begins:
        faults.append("it is marked as taken back, but the audit trail has no line of that")
    begin, end = unit_statement(row.number, row.title, row.qualification, _NAME).split(_NAME)
    if row.erased_at is None:
        if not (signed.statement.startswith(begin) and signed.statement.endswith(end)):
            faults.append("the words are not those that were signed")
        elif signed.withdrawn_at is None and unit_sha256(signed.statement, criteria) != signed.content_sha256:
            faults.append("the words or the criteria are not those that were signed")
    return [
        f"unit {signed.unit_id} of aim {signed.aim_id}, signature {signed.id}: {fault}" for fault in faults if fault
    ]


async def _without_signature(session: AsyncSession) -> AsyncIterator[str]:
    """Lines of the trail that say something was signed, where no such signature is."""
    of_evidence = _line_of(EvidenceSignature, _EVIDENCE_LINES, "Evidence", EvidenceSignature.evidence_id)
    of_document = _line_of(SignatureSlot, _DOCUMENT_LINES, "SignatureRequest", SignatureSlot.request_id)
    of_unit = _line_of(UnitSignature, _UNIT_LINES, "Unit", UnitSignature.aim_id, UnitSignature.unit_id)
    for what, actions, table, mine in (
        ("evidence", _EVIDENCE_LINES, EvidenceSignature, of_evidence),
        ("document", _DOCUMENT_LINES, SignatureSlot, of_document),
        ("a unit of aim", _UNIT_LINES, UnitSignature, of_unit),
    ):
        statement = (
            select(AuditEvent.sequence, AuditEvent.provider_id, AuditEvent.subject_key)
            .outerjoin(table, mine)
            .where(AuditEvent.action.in_(actions), table.id.is_(None))
            .order_by(AuditEvent.provider_id, AuditEvent.sequence)
        )
        async for row in _rows(session, statement):
            yield (
                f"provider {row.provider_id}: line {row.sequence} of the audit trail says that {what} "
                f"{row.subject_key} was signed, but there is no such signature"
            )
