"""Corrects mistakes with evidence: removes mappings, and retitles, moves or withdraws evidence."""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from sqlalchemy import update as update_rows

from db.models.action import Action
from db.models.aim import Aim
from db.models.evidence import Evidence, EvidenceMapping
from db.models.file import File
from db.models.user import User
from domain import global_id
from domain.enums import EvidenceStatus, UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.aim import aim_names
from repositories.evidence import files_of_evidence, mappings_of_evidence
from repositories.unit import units_of_criteria
from resolvers.core.changes import assign, changed_texts
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity
from resolvers.evidence.assessment import MAX_MAPPINGS, lock_for_assessment
from resolvers.evidence.sign_off import (
    EVIDENCE_MOVED,
    EVIDENCE_UNMAPPED,
    EVIDENCE_WITHDRAWN,
    remove_mappings,
    reset_assessment,
)
from resolvers.rules.evidence import EVIDENCE, EvidenceState
from services.mail.messages import evidence_withdrawn


class EvidenceChanges(TypedDict, total=False):
    """The changes of evidence: what is missing or None is not changed."""

    title: str | None
    description: str | None
    aim_id: str | None


@mutation("evidenceUnmap")
async def unmap(uow: UnitOfWork, *, id: str, criterion_ids: Sequence[str]) -> int:
    """Removes mappings of evidence, and what they signed off; a criterion that is not mapped changes nothing.

    Evidence without mappings waits for the assessor again. Rejects with NOT_FOUND, NOT_ALLOWED,
    REQUIRED for no criterion, INVALID for too many, and CONFLICT where the evidence is withdrawn.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    uow.require(EVIDENCE, EvidenceState.of(evidence))
    if not criterion_ids:
        raise reject(UserErrorCode.REQUIRED, say("CRITERIA_MISSING"), "criterionIds")
    if len(criterion_ids) > MAX_MAPPINGS:
        message = say("TOO_MANY_CRITERIA", most=MAX_MAPPINGS)
        raise reject(UserErrorCode.INVALID, message, "criterionIds")
    existing = await mappings_of_evidence(uow.session, evidence.id)
    keys = await _criterion_keys(uow, aim, criterion_ids, existing)
    uow.raise_errors()
    removed = [mapping for key, mapping in existing.items() if key in keys]
    if removed:
        withdrawn = await remove_mappings(uow, evidence, removed, EVIDENCE_UNMAPPED)
        if len(removed) == len(existing) and evidence.status is EvidenceStatus.ASSESSED:
            await reset_assessment(uow, evidence)
        uow.audit(
            "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["mappings", "status"],
            criteria=sorted(keys & existing.keys()), unit_signatures_taken_back=withdrawn,
        )  # fmt: skip
    return evidence.id


@mutation("evidenceUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[EvidenceChanges]) -> int:
    """Changes title and description of evidence, or moves it to another of the learner's aims.

    A move removes its mappings. Rejects with NOT_FOUND, NOT_ALLOWED unless the viewer submitted it or is the assessor,
    CONFLICT where something of it is signed off or it is withdrawn, or REQUIRED and INVALID for the fields.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    mappings = await mappings_of_evidence(uow.session, evidence.id)
    _require(uow, evidence, mappings)
    values = changed_texts(uow, Evidence, changes)
    to_aim = await _other_aim(uow, evidence, changes.get("aim_id"))
    uow.raise_errors()
    changed = assign(evidence, values)
    withdrawn = await _move(uow, evidence, to_aim, mappings) if to_aim is not None else 0
    if changed or to_aim is not None:
        # An event without an aim is visible to the people of both aims.
        detail: dict[str, Any] = {"moved_from": aim.id, "moved_to": to_aim.id} if to_aim is not None else {}
        uow.audit(
            "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=None if to_aim is not None else aim.id,
            fields=changed + ["aim"] * (to_aim is not None), unit_signatures_taken_back=withdrawn, **detail,
        )  # fmt: skip
    return evidence.id


@mutation("evidenceWithdraw")
async def withdraw(uow: UnitOfWork, *, id: str, reason: str) -> int:
    """Withdraws evidence that should not be there: it counts nowhere and stays readable. Repeating it changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED unless the viewer submitted it or is the assessor, REQUIRED without a reason,
    and CONFLICT where something of it is signed off, unless the viewer is the assessor.
    """
    evidence, aim = await lock_for_assessment(uow, id)
    mappings = await mappings_of_evidence(uow.session, evidence.id)
    _require(uow, evidence, mappings)
    if evidence.status is EvidenceStatus.WITHDRAWN:
        return evidence.id
    reason = multi_line(uow, reason, "reason")
    uow.raise_errors()
    withdrawn = await remove_mappings(uow, evidence, mappings.values(), EVIDENCE_WITHDRAWN)
    evidence.status, evidence.withdrawn_at, evidence.withdrawn_reason = EvidenceStatus.WITHDRAWN, uow.now, reason
    await _notify_submitter(uow, evidence, aim, reason)
    uow.audit(
        "Evidence", evidence.id, learner_id=aim.learner_id, aim_id=aim.id, reason=reason,
        fields=["status", "mappings"], criteria=sorted(mappings), unit_signatures_taken_back=withdrawn,
    )  # fmt: skip
    return evidence.id


def _require(uow: UnitOfWork, evidence: Evidence, mappings: dict[int, EvidenceMapping]) -> None:
    signed_off = any(mapping.signed_off for mapping in mappings.values())
    uow.require(EVIDENCE, EvidenceState.of(evidence), signed_off=signed_off)


async def _criterion_keys(
    uow: UnitOfWork, aim: Aim, ids: Sequence[str], existing: dict[int, EvidenceMapping]
) -> set[int]:
    """Returns the keys of criteria; records an error for each that is not one of the aim's."""
    pairs = [global_id.decode_pair("Criterion", id) for id in ids]
    unknown = {pair[1] for pair in pairs if pair and pair[0] == aim.id} - existing.keys()
    known = existing.keys() | (await units_of_criteria(uow.session, aim, unknown)).keys()
    for index, pair in enumerate(pairs):
        if pair is None or pair[0] != aim.id or pair[1] not in known:
            uow.add_not_found("criterionIds", str(index))
    return {pair[1] for pair in pairs if pair}


async def _other_aim(uow: UnitOfWork, evidence: Evidence, aim_id: str | None) -> Aim | None:
    """Returns the aim that the evidence is moved to, locked; records an error where it is not one of the learner's."""
    if aim_id is None:
        return None
    to_aim = await require_entity(uow, Aim, aim_id, "input", "aimId")
    if to_aim is not None and to_aim.learner_id != evidence.learner_id:
        message = say("COMPONENT_OF_OTHER_LEARNER")
        uow.add_error(UserErrorCode.INVALID, message, "input", "aimId")
    return to_aim if to_aim is None or to_aim.id != evidence.aim_id else None


async def _move(uow: UnitOfWork, evidence: Evidence, aim: Aim, mappings: dict[int, EvidenceMapping]) -> int:
    """Moves evidence with its files to another aim. Returns how many unit signatures were withdrawn."""
    withdrawn = await remove_mappings(uow, evidence, mappings.values(), EVIDENCE_MOVED)
    if evidence.status is EvidenceStatus.ASSESSED:
        await reset_assessment(uow, evidence)
    evidence.aim_id = aim.id
    if evidence.action_id is not None:
        action = await uow.session.get_one(Action, evidence.action_id)
        if action.aim_id not in (None, aim.id):
            evidence.action_id = None
    # Everybody who sees the evidence sees its files.
    files = await files_of_evidence(uow.session, evidence.id)
    await uow.session.execute(update_rows(File).where(File.id.in_(files)).values(aim_id=aim.id))
    return withdrawn


async def _notify_submitter(uow: UnitOfWork, evidence: Evidence, aim: Aim, reason: str) -> None:
    submitter = await uow.session.get_one(User, evidence.submitted_by_id)
    if submitter.id == uow.viewer.user_key or submitter.archived_at is not None:
        return
    names = await aim_names(uow.session, aim)
    mail = evidence_withdrawn(
        name=submitter.name, title=evidence.title, aim=names.title, withdrawn_by=uow.viewer.name, reason=reason
    )
    uow.send_mail(submitter.email, mail, "Evidence", evidence.id)
