"""Assessing evidence: mapped to criteria, signed off, or returned with points for improvement."""

from collections.abc import Sequence
from typing import Any, TypedDict

from sqlalchemy import insert

from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.user import User
from domain import global_id as ids
from domain.enums import AssessmentMethod, EvidenceStatus, UserErrorCode
from domain.errors import not_found, reject
from repositories.evidence import (
    active_signatures,
    aim_names,
    criteria_met_by_other_evidence,
    criterion_progress_of,
    mappings_of_evidence,
    units_of_criteria,
)
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from services.mail.messages import evidence_returned

# More than any qualification asks of one piece of evidence; a bound on the work of one request.
MOST_MAPPINGS = 500

MAPPED_ANEW = "New evidence was mapped to the unit."
NO_LONGER_MET = "A criterion's sign-off was taken back."


class MappingInput(TypedDict):
    """One criterion and whether the evidence meets it."""

    criterion_id: str
    sign_off: bool


async def lock_for_assessment(uow: UnitOfWork, id: str) -> tuple[Evidence, Aim]:
    """Evidence that the viewer sees and may change in this way, and its aim, both locked.

    The aim first: whoever changes what is counted in it waits there, so that no count is written over another.
    """
    evidence = await uow.get(Evidence, id, "id", locked=False)
    uow.authorize()
    aim = await uow.get_or_none(Aim, evidence.aim_id)
    if aim is None:
        raise not_found("id")
    await uow.session.refresh(evidence, with_for_update={"key_share": True})
    return evidence, aim


@mutation("evidenceAssess")
async def assess(
    uow: UnitOfWork,
    *,
    id: str,
    mappings: Sequence[MappingInput],
    assessment_methods: Sequence[AssessmentMethod],
    feedback: str | None = None,
) -> int:
    """Maps evidence to criteria and signs them off, or takes a sign-off back; what is not named stays as it is.

    Refuses with NOT_FOUND, NOT_ALLOWED, or REQUIRED and INVALID for what is missing or not of the evidence's aim.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    if len(mappings) > MOST_MAPPINGS:
        message = f"Map to {MOST_MAPPINGS} criteria at most at once, and to the others after that."
        raise reject(UserErrorCode.INVALID, message, "input", "mappings")
    if not assessment_methods:
        uow.add_error(UserErrorCode.REQUIRED, "Say how you judged it: choose a method.", "input", "assessmentMethods")
    said = None if feedback is None else multi_line(uow, feedback, "input", "feedback", required=False)
    existing = await mappings_of_evidence(uow.session, evidence.id)
    if not mappings and not existing:
        uow.add_error(UserErrorCode.REQUIRED, "Map the evidence to at least one criterion.", "input", "mappings")
    judged, unit_of = await _parse_mappings(uow, aim, mappings)
    uow.raise_errors()
    taken_back = await _apply_mappings(uow, evidence, judged, unit_of, existing)
    evidence.status = EvidenceStatus.ASSESSED
    # Once each, in the order given.
    evidence.assessment_methods = [method.value for method in dict.fromkeys(assessment_methods)]
    if feedback is not None:
        evidence.feedback = said or None
    evidence.assessed_by_id, evidence.assessed_at = uow.viewer.user_key, uow.now
    uow.recount_progress(aim.id)
    uow.audit(
        "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id,
        fields=["mappings", "assessmentMethods", "status"] + ["feedback"] * (feedback is not None),
        criteria=sorted(judged), signed_off=sorted(key for key, met in judged.items() if met),
        unit_signatures_taken_back=taken_back,
    )  # fmt: skip
    return evidence.id


async def _parse_mappings(
    uow: UnitOfWork, aim: Aim, mappings: Sequence[MappingInput]
) -> tuple[dict[int, bool], dict[int, int]]:
    """Criterion key -> whether it is met, and -> its unit; notes what is no criterion of the aim, or named twice."""
    named = [ids.decode_pair("Criterion", mapping["criterion_id"]) for mapping in mappings]
    keys = {pair[1] for pair in named if pair and pair[0] == aim.id}
    unit_of = await units_of_criteria(uow.session, aim.qualification_id, keys)
    judged: dict[int, bool] = {}
    visible_aims: dict[int, bool] = {}
    for place, (pair, mapping) in enumerate(zip(named, mappings, strict=True)):
        field = ("input", "mappings", str(place), "criterionId")
        if pair and pair[0] != aim.id and pair[0] not in visible_aims:
            visible_aims[pair[0]] = await uow.get_or_none(Aim, pair[0], locked=False) is not None
        if pair and visible_aims.get(pair[0]):
            message = "This criterion belongs to another component. Map to criteria of the evidence's own."
            uow.add_error(UserErrorCode.INVALID, message, *field)
        elif pair is None or pair[0] != aim.id or pair[1] not in unit_of:
            (fault,) = not_found(*field).errors
            uow.add_error(fault.code, fault.message, *field)
        elif pair[1] in judged:
            uow.add_error(UserErrorCode.INVALID, "This criterion is named twice. Name it once.", *field)
        else:
            judged[pair[1]] = mapping["sign_off"]
    return judged, unit_of


async def _apply_mappings(
    uow: UnitOfWork,
    evidence: Evidence,
    judged: dict[int, bool],
    unit_of: dict[int, int],
    existing: dict[int, EvidenceMapping],
) -> int:
    """Writes the mappings and what they make of their criteria; gives how many unit signatures that took back."""
    reached = await criterion_progress_of(uow.session, evidence.aim_id, judged)
    undone = {key for key, met in judged.items() if not met and key in existing and existing[key].signed_off}
    still_met = (
        await criteria_met_by_other_evidence(uow.session, evidence.aim_id, evidence.id, undone) if undone else set()
    )
    # Unit key -> why its signatures no longer say what was signed.
    reasons: dict[int, str] = {}
    mapped: list[dict[str, Any]] = []
    for key, met in judged.items():
        place = {
            "provider_id": evidence.provider_id, "learner_id": evidence.learner_id, "aim_id": evidence.aim_id,
            "unit_id": unit_of[key], "criterion_id": key,
        }  # fmt: skip
        progress = reached.get(key)
        if progress is None:
            progress = CriterionProgress(**place, evidence_count=0, signed_off=False)
            uow.session.add(progress)
        if key in existing:
            existing[key].signed_off = met
        else:
            mapped.append(
                {
                    **place, "evidence_id": evidence.id, "signed_off": met, "mapped_by_id": uow.viewer.user_key,
                    "mapped_at": uow.now,
                }
            )  # fmt: skip
            progress.evidence_count += 1
            reasons[unit_of[key]] = MAPPED_ANEW
        if met and not progress.signed_off:
            progress.signed_off = True
            progress.signed_off_by_id, progress.signed_off_at = uow.viewer.user_key, uow.now
        elif key in undone - still_met and progress.signed_off:
            progress.signed_off = False
            progress.signed_off_by_id = progress.signed_off_at = None
            reasons.setdefault(unit_of[key], NO_LONGER_MET)
    if mapped:
        # In one go: through the session SQLite would be sent each by itself.
        await uow.session.execute(insert(EvidenceMapping), mapped)
    if not reasons:
        return 0
    standing = await active_signatures(uow.session, evidence.aim_id, reasons)
    for signature in standing:
        signature.withdrawn_at, signature.withdrawn_reason = uow.now, reasons[signature.unit_id]
    return len(standing)


@mutation("evidenceReturn")
async def return_(uow: UnitOfWork, *, id: str, points_for_improvement: str) -> int:
    """Returns evidence with points for improvement, which whoever submitted it gets by e-mail [001].

    Refuses with NOT_FOUND, NOT_ALLOWED, REQUIRED for no points, CONFLICT where it was returned already.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    if evidence.status is EvidenceStatus.RETURNED:
        message = "It was returned already, and waits for the amended file. Nothing was changed."
        raise reject(UserErrorCode.CONFLICT, message, "id")
    points = multi_line(uow, points_for_improvement, "pointsForImprovement")
    uow.raise_errors()
    evidence.status, evidence.points_for_improvement = EvidenceStatus.RETURNED, points
    submitter = await uow.session.get_one(User, evidence.submitted_by_id)
    if submitter.id != uow.viewer.user_key and submitter.archived_at is None:
        names = await aim_names(uow.session, aim)
        mail = evidence_returned(
            name=submitter.name, title=evidence.title, aim=names.title, assessor=uow.viewer.name, points=points
        )
        uow.send_mail(submitter.email, mail)
    uow.audit(
        "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["status", "pointsForImprovement"]
    )
    return evidence.id
