"""Assesses evidence: maps it to criteria and signs them off, or returns it with points for improvement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.learner import Learner
from db.models.user import User
from domain import global_id
from domain.enums import AssessmentMethod, EvidenceStatus, TaskKind, UserErrorCode
from domain.errors import not_found, reject
from domain.sentences import say
from repositories.aim import aim_names
from repositories.evidence import criteria_met_by_other_evidence, mappings_of_evidence
from repositories.scoped import lock_again
from repositories.unit import progress_of_criteria, units_of_criteria
from resolvers.core.row_limit import check_count
from resolvers.core.task_mail import send_task_mail
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.evidence.sign_off import (
    EVIDENCE_RETURNED,
    NEW_MAPPING,
    SIGN_OFF_WITHDRAWN,
    take_back_sign_offs,
    withdraw_unit_signatures,
)
from resolvers.rules.evidence import EVIDENCE, EvidenceState
from services.mail.messages import evidence_returned

# Bounds the work of one request; no qualification has so many criteria that one piece of evidence meets.
MAX_MAPPINGS = 500


class MappingInput(TypedDict):
    """One criterion and whether the evidence meets it."""

    criterion_id: str
    sign_off: bool


@dataclass(frozen=True, slots=True)
class CriterionMapping:
    """A criterion of the evidence's aim, its unit, and whether the evidence meets it."""

    criterion_key: int
    unit_key: int
    signed_off: bool


@mutation("evidenceAssess")
async def assess(
    uow: UnitOfWork,
    *,
    id: str,
    mappings: Sequence[MappingInput],
    assessment_methods: Sequence[AssessmentMethod],
    feedback: str | None = None,
) -> int:
    """Maps evidence to criteria and signs them off, or withdraws a sign-off. Other mappings are not changed.

    Rejects with NOT_FOUND, NOT_ALLOWED, or REQUIRED and INVALID for the fields.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    uow.require(EVIDENCE, EvidenceState.of(evidence))
    if len(mappings) > MAX_MAPPINGS:
        message = say("TOO_MANY_MAPPINGS", most=MAX_MAPPINGS)
        raise reject(UserErrorCode.INVALID, message, "input", "mappings")
    if not assessment_methods:
        message = say("ASSESSMENT_METHOD_MISSING")
        uow.add_error(UserErrorCode.REQUIRED, message, "input", "assessmentMethods")
    if feedback is not None:
        feedback = multi_line(uow, feedback, "input", "feedback", required=False)
    existing = await mappings_of_evidence(uow.session, evidence.id)
    if not mappings and not existing:
        uow.add_error(UserErrorCode.REQUIRED, say("MAPPING_MISSING"), "input", "mappings")
    parsed = await parse_mappings(uow, aim, mappings)
    uow.raise_errors()
    withdrawn_signatures = await apply_mappings(uow, evidence, parsed, existing)
    evidence.status = EvidenceStatus.ASSESSED
    # Each once, in the given order.
    evidence.assessment_methods = [method.value for method in dict.fromkeys(assessment_methods)]
    if feedback is not None:
        evidence.feedback = feedback or None
    evidence.assessed_by_id, evidence.assessed_at = uow.viewer.user_key, uow.now
    uow.recount_progress(aim.id)
    uow.audit(
        "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id,
        fields=["mappings", "assessmentMethods", "status"] + ["feedback"] * (feedback is not None),
        criteria=sorted(each.criterion_key for each in parsed),
        signed_off=sorted(each.criterion_key for each in parsed if each.signed_off),
        unit_signatures_taken_back=withdrawn_signatures,
    )  # fmt: skip
    return evidence.id


@mutation("evidenceReturn")
async def return_(uow: UnitOfWork, *, id: str, points_for_improvement: str) -> int:
    """Returns evidence with points for improvement, and sends them to its submitter by e-mail.

    What it signed off is taken back. Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED without points, and CONFLICT where
    it was returned already or is withdrawn.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    uow.require(EVIDENCE, EvidenceState.of(evidence))
    points = multi_line(uow, points_for_improvement, "pointsForImprovement")
    uow.raise_errors()
    evidence.status, evidence.points_for_improvement = EvidenceStatus.RETURNED, points
    evidence.returned_at = uow.now
    taken_back = await take_back_sign_offs(uow, evidence, EVIDENCE_RETURNED)
    recipient = await _resubmitter(uow, evidence)
    if recipient.id != uow.viewer.user_key and recipient.archived_at is None:
        names = await aim_names(uow.session, aim)
        mail = evidence_returned(
            name=recipient.name, title=evidence.title, aim=names.title, assessor=uow.viewer.name, points=points
        )
        kind, about = TaskKind.RESUBMIT_EVIDENCE, ("Evidence", evidence.id)
        send_task_mail(uow, kind, recipient.id, recipient.email, recipient.email_for, mail, *about)
    uow.audit(
        "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["status", "pointsForImprovement"],
        sign_offs_taken_back=taken_back,
    )  # fmt: skip
    return evidence.id


async def lock_for_assessment(uow: UnitOfWork, id: str) -> tuple[Evidence, Aim]:
    """Returns evidence that the viewer sees and may change with this mutation, and its aim, both locked.

    The aim is locked first: transactions that change what its progress sums count wait for each other there.
    """
    evidence = await uow.get(Evidence, id, "id", locked=False)
    uow.authorize()
    aim = await uow.get_or_none(Aim, evidence.aim_id)
    if aim is None:
        raise not_found("id")
    await lock_again(uow.session, evidence)
    return evidence, aim


async def _resubmitter(uow: UnitOfWork, evidence: Evidence) -> User:
    """Returns who resubmits returned evidence: its submitter, or the learner where the submitter is archived."""
    submitter = await uow.session.get_one(User, evidence.submitted_by_id)
    if submitter.archived_at is None:
        return submitter
    learner = await uow.session.get_one(Learner, evidence.learner_id)
    return await uow.session.get_one(User, learner.user_id)


async def parse_mappings(uow: UnitOfWork, aim: Aim, mappings: Sequence[MappingInput]) -> list[CriterionMapping]:
    """Returns the mappings with the keys of criteria and units; records an error for each criterion that is invalid."""
    pairs = [global_id.decode_pair("Criterion", mapping["criterion_id"]) for mapping in mappings]
    keys = {criterion_key for aim_key, criterion_key in filter(None, pairs) if aim_key == aim.id}
    unit_keys = await units_of_criteria(uow.session, aim, keys)
    # Other aims that the input names, and whether the viewer sees them.
    other_aims: dict[int, bool] = {}
    parsed: dict[int, CriterionMapping] = {}
    for index, (pair, mapping) in enumerate(zip(pairs, mappings, strict=True)):
        field = ("input", "mappings", str(index), "criterionId")
        aim_key, criterion_key = pair or (None, 0)
        if aim_key is not None and aim_key != aim.id and aim_key not in other_aims:
            other_aims[aim_key] = await uow.get_or_none(Aim, aim_key, locked=False) is not None
        if aim_key is not None and other_aims.get(aim_key):
            message = say("CRITERION_OF_OTHER_COMPONENT")
            uow.add_error(UserErrorCode.INVALID, message, *field)
        elif aim_key != aim.id or criterion_key not in unit_keys:
            uow.add_not_found(*field)
        elif criterion_key in parsed:
            uow.add_error(UserErrorCode.INVALID, say("CRITERION_GIVEN_TWICE"), *field)
        elif not unit_keys[criterion_key].counts:
            message = say("CRITERION_OF_UNCHOSEN_UNIT")
            uow.add_error(UserErrorCode.INVALID, message, *field)
        else:
            parsed[criterion_key] = CriterionMapping(criterion_key, unit_keys[criterion_key].key, mapping["sign_off"])
    return list(parsed.values())


async def apply_mappings(
    uow: UnitOfWork, evidence: Evidence, mappings: Sequence[CriterionMapping], existing: Mapping[int, EvidenceMapping]
) -> int:
    """Stores the mappings and the progress of their criteria. Returns how many unit signatures were withdrawn."""
    keys = [mapping.criterion_key for mapping in mappings]
    progress_by_key = await progress_of_criteria(uow.session, evidence.aim_id, keys)
    for index, key in enumerate(keys):
        if key in progress_by_key and key not in existing:
            field = ("input", "mappings", str(index), "criterionId")
            evidence_count = progress_by_key[key].evidence_count
            check_count(uow, EvidenceMapping.criterion_id, evidence_count, "CRITERION_EVIDENCE_FULL", *field)
    uow.raise_errors()
    no_longer_met = await _no_longer_met(uow, evidence, mappings, existing)
    # Unit key -> why its signatures are withdrawn.
    reasons: dict[int, str] = {}
    new_rows: list[dict[str, Any]] = []
    for mapping in mappings:
        key = mapping.criterion_key
        columns = {
            "provider_id": evidence.provider_id, "learner_id": evidence.learner_id, "aim_id": evidence.aim_id,
            "unit_id": mapping.unit_key, "criterion_id": key,
        }  # fmt: skip
        progress = progress_by_key.get(key)
        if progress is None:
            progress = CriterionProgress(**columns, evidence_count=0, signed_off=False)
            uow.session.add(progress)
        if key in existing:
            existing[key].signed_off = mapping.signed_off
        else:
            mapped = {"mapped_by_id": uow.viewer.user_key, "mapped_at": uow.now}
            new_rows.append({**columns, **mapped, "evidence_id": evidence.id, "signed_off": mapping.signed_off})
            progress.evidence_count += 1
            reasons[mapping.unit_key] = NEW_MAPPING
        if mapping.signed_off and not progress.signed_off:
            progress.signed_off = True
            progress.signed_off_by_id, progress.signed_off_at = uow.viewer.user_key, uow.now
        elif key in no_longer_met and progress.signed_off:
            progress.signed_off = False
            progress.signed_off_by_id = progress.signed_off_at = None
            reasons.setdefault(mapping.unit_key, SIGN_OFF_WITHDRAWN)
    if new_rows:
        # One statement for all of them: on SQLite the session would send one for each.
        await uow.insert_all(EvidenceMapping, new_rows)
    return await withdraw_unit_signatures(uow, evidence.aim_id, reasons)


async def _no_longer_met(
    uow: UnitOfWork, evidence: Evidence, mappings: Sequence[CriterionMapping], existing: Mapping[int, EvidenceMapping]
) -> set[int]:
    """Returns the keys of the criteria whose sign-off is withdrawn here and that no other evidence meets."""
    withdrawn = {
        mapping.criterion_key
        for mapping in mappings
        if not mapping.signed_off and mapping.criterion_key in existing and existing[mapping.criterion_key].signed_off
    }
    if not withdrawn:
        return set()
    return withdrawn - await criteria_met_by_other_evidence(uow.session, evidence.aim_id, evidence.id, withdrawn)
