"""Withdraws sign-offs and mappings of evidence; the progress of their criteria and the unit signatures follow."""

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Delete, Update, and_, delete, update

from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from domain.enums import EvidenceStatus
from repositories.evidence import criteria_met_by_other_evidence, current_version_number, mappings_of_evidence
from repositories.unit import active_signatures
from resolvers.core.unit_of_work import UnitOfWork

# Why the signatures on a unit were withdrawn, as its history shows it.
NEW_MAPPING = "New evidence was mapped to the unit."
SIGN_OFF_WITHDRAWN = "The sign-off of a criterion was withdrawn."
EVIDENCE_RETURNED = "Evidence that met a criterion of the unit was returned."
EVIDENCE_REPLACED = "Evidence that met a criterion of the unit was replaced by another file."
EVIDENCE_UNMAPPED = "Evidence was removed from the unit."
EVIDENCE_MOVED = "Evidence of the unit was moved to another component."
EVIDENCE_WITHDRAWN = "Evidence of the unit was withdrawn."


async def take_back_sign_offs(uow: UnitOfWork, evidence: Evidence, reason: str) -> list[int]:
    """Takes back what the evidence signed off, because its file no longer counts as assessed; its mappings remain.

    A criterion that other assessed evidence meets stays signed off. Returns the keys of the criteria whose mapping was
    signed off. `reason`: why the signatures of their units are withdrawn.
    """
    mappings = await mappings_of_evidence(uow.session, evidence.id)
    signed_off = [mapping for mapping in mappings.values() if mapping.signed_off]
    if signed_off:
        await _change(uow, update(EvidenceMapping).where(_is_one_of(signed_off)).values(signed_off=False))
        changed = await _withdraw_unmet(uow, evidence, signed_off)
        await withdraw_unit_signatures(uow, evidence.aim_id, dict.fromkeys(changed, reason))
        uow.recount_progress(evidence.aim_id)
    return sorted(mapping.criterion_id for mapping in signed_off)


async def remove_mappings(uow: UnitOfWork, evidence: Evidence, mappings: Iterable[EvidenceMapping], reason: str) -> int:
    """Deletes mappings of the evidence. Returns how many signatures of their units were withdrawn, for `reason`."""
    mappings = list(mappings)
    if not mappings:
        return 0
    one_less = {"evidence_count": CriterionProgress.evidence_count - 1}
    keys = [mapping.criterion_id for mapping in mappings]
    await _change(uow, update(CriterionProgress).where(_progress_in(evidence, keys)).values(one_less))
    await _withdraw_unmet(uow, evidence, [mapping for mapping in mappings if mapping.signed_off])
    await _change(uow, delete(EvidenceMapping).where(_is_one_of(mappings)))
    uow.recount_progress(evidence.aim_id)
    # What was signed names the evidence of each criterion, so any mapping that goes changes it.
    return await withdraw_unit_signatures(uow, evidence.aim_id, {each.unit_id: reason for each in mappings})


async def reset_assessment(uow: UnitOfWork, evidence: Evidence) -> None:
    """Takes back the assessment of evidence, which the assessor then sees in the inbox again."""
    resubmitted = await current_version_number(uow.session, evidence.id) > 1
    evidence.status = EvidenceStatus.RESUBMITTED if resubmitted else EvidenceStatus.SUBMITTED
    evidence.assessed_by_id = evidence.assessed_at = None
    evidence.assessment_methods = []


async def withdraw_unit_signatures(uow: UnitOfWork, aim_key: int, reasons: Mapping[int, str]) -> int:
    """Withdraws the signatures of units of an aim; `reasons` by unit key. Returns how many there were."""
    if not reasons:
        return 0
    signatures = await active_signatures(uow.session, aim_key, reasons.keys())
    for signature in signatures:
        signature.withdrawn_at, signature.withdrawn_reason = uow.now, reasons[signature.unit_id]
    return len(signatures)


async def _withdraw_unmet(uow: UnitOfWork, evidence: Evidence, mappings: list[EvidenceMapping]) -> set[int]:
    """Takes back the sign-off of the criteria that only these mappings met. Returns the keys of their units."""
    keys = {mapping.criterion_id for mapping in mappings}
    if not keys:
        return set()
    lost = keys - await criteria_met_by_other_evidence(uow.session, evidence.aim_id, evidence.id, keys)
    nothing = {"signed_off": False, "signed_off_by_id": None, "signed_off_at": None}
    await _change(uow, update(CriterionProgress).where(_progress_in(evidence, lost)).values(nothing))
    return {mapping.unit_id for mapping in mappings if mapping.criterion_id in lost}


def _is_one_of(mappings: Iterable[EvidenceMapping]) -> ColumnElement[bool]:
    return EvidenceMapping.id.in_([mapping.id for mapping in mappings])


def _progress_in(evidence: Evidence, criterion_keys: Iterable[int]) -> ColumnElement[bool]:
    return and_(CriterionProgress.aim_id == evidence.aim_id, CriterionProgress.criterion_id.in_(criterion_keys))


async def _change(uow: UnitOfWork, statement: Update | Delete) -> None:
    """Changes all rows in one statement; nothing reads the entities of this transaction afterwards."""
    await uow.session.execute(statement, execution_options={"synchronize_session": False})
