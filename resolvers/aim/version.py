"""Moves an aim to another version of its qualification, by a map from old criteria to new ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from db.models.aim import Aim
from db.models.aim_version import AimVersion
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.qualification import Qualification, QualificationCriterion
from domain.enums import AimStatus, UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.aim import has_open_aim
from repositories.aim_unit import chosen_units, units_of_version
from repositories.aim_version import CriterionCode, criteria_of_version, mappings_of_criteria
from repositories.unit import active_signatures, progress_of_criteria
from resolvers.aim.result import AimChange, of_aim
from resolvers.aim.units import set_chosen
from resolvers.core.row_limit import check_row_limit
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity
from resolvers.rules.aim import AIM, AimState

MAX_MAPPED = 5_000

# Why the signatures on a unit were withdrawn, as its history shows it.
VERSION_CHANGED = "The component moved to another version of its qualification."


class CriterionMap(TypedDict):
    """One step of the map: what was reached in the first criterion is reached in the second."""

    from_unit_number: str
    from_code: str
    to_unit_number: str
    to_code: str


@mutation("aimVersionChange")
async def change(
    uow: UnitOfWork, *, id: str, qualification_id: str, criterion_map: Sequence[CriterionMap]
) -> AimChange:
    """Moves an aim to another version of its qualification. Returns the aim's key.

    What was reached in a criterion of the map is carried to its successors; of several criteria with one successor
    everything is. What was reached in others stays readable and counts nowhere. Signatures on units are withdrawn,
    because they confirm the old words. Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for another qualification or an
    invalid map, and CONFLICT for an aim that has ended.
    """
    aim = await uow.get(Aim, id, "id")
    uow.require(AIM, AimState.of(aim))
    if len(criterion_map) > MAX_MAPPED:
        message = say("TOO_MANY_MAPPED_CRITERIA", most=MAX_MAPPED)
        raise reject(UserErrorCode.INVALID, message, "input", "criterionMap")
    target = await require_entity(uow, Qualification, qualification_id, "input", "qualificationId", locked=False)
    await _check(uow, aim, target)
    await check_row_limit(uow, AimVersion.aim_id, aim.id, "AIM_VERSIONS_FULL", "input", "qualificationId")
    uow.raise_errors()
    assert target is not None
    old, new = [await criteria_of_version(uow.session, key) for key in (aim.qualification_id, target.id)]
    successors = _parse(uow, criterion_map, old, new)
    uow.raise_errors()
    left = aim.qualification_id
    chosen = await _chosen_numbers(uow, aim)
    carried = await _carry(uow, aim, successors)
    for signature in await active_signatures(uow.session, aim.id, await units_of_version(uow.session, left)):
        signature.withdrawn_at, signature.withdrawn_reason = uow.now, VERSION_CHANGED
    uow.session.add(
        AimVersion(
            provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, qualification_id=left,
            changed_by_id=uow.viewer.user_key, changed_at=uow.now,
        )
    )  # fmt: skip
    aim.qualification_id = target.id
    units = await units_of_version(uow.session, target.id)
    optional = {key for key, unit in units.items() if not unit.mandatory}
    await set_chosen(uow, aim, {key for key in optional if key in carried or units[key].number in chosen})
    uow.recount_hours(aim)
    uow.recount_time(aim.learner_id)
    uow.audit(
        "Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["qualification"], left=left, to=target.id,
        criteria=len(successors),
    )  # fmt: skip
    return of_aim(aim)


async def _check(uow: UnitOfWork, aim: Aim, target: Qualification | None) -> None:
    """Records what forbids the move."""
    if target is None:
        return
    current = await uow.session.get_one(Qualification, aim.qualification_id)
    field = ("input", "qualificationId")
    if target.id == current.id:
        message = say("VERSION_UNCHANGED")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    elif (target.reference or target.title) != (current.reference or current.title):
        message = say("VERSION_OF_OTHER_QUALIFICATION")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    elif aim.status is not AimStatus.WITHDRAWN and await has_open_aim(uow.session, aim.learner_id, target.id, aim.id):
        message = say("VERSION_ALREADY_TAKEN")
        uow.add_error(UserErrorCode.CONFLICT, message, *field)


def _parse(
    uow: UnitOfWork,
    steps: Sequence[CriterionMap],
    old: Mapping[CriterionCode, QualificationCriterion],
    new: Mapping[CriterionCode, QualificationCriterion],
) -> dict[int, list[QualificationCriterion]]:
    """Returns the successors of each old criterion by its key; records an error for each step that is invalid."""
    successors: dict[int, list[QualificationCriterion]] = defaultdict(list)
    for index, step in enumerate(steps):
        source = old.get((step["from_unit_number"].strip(), step["from_code"].strip()))
        target = new.get((step["to_unit_number"].strip(), step["to_code"].strip()))
        field = ("input", "criterionMap", str(index))
        if source is None:
            message = say("CRITERION_NOT_IN_OLD_VERSION")
            uow.add_error(UserErrorCode.INVALID, message, *field, "fromCode")
        if target is None:
            message = say("CRITERION_NOT_IN_NEW_VERSION")
            uow.add_error(UserErrorCode.INVALID, message, *field, "toCode")
        if source is not None and target is not None:
            if target in successors[source.id]:
                message = say("STEP_GIVEN_TWICE")
                uow.add_error(UserErrorCode.INVALID, message, *field)
            successors[source.id].append(target)
    return successors


async def _chosen_numbers(uow: UnitOfWork, aim: Aim) -> set[str]:
    units = await units_of_version(uow.session, aim.qualification_id)
    return {units[key].number for key in await chosen_units(uow.session, aim.id) if key in units}


async def _carry(uow: UnitOfWork, aim: Aim, successors: Mapping[int, list[QualificationCriterion]]) -> set[int]:
    """Moves mappings and progress to the new criteria. Returns the keys of the new units that have some."""
    targets = {target.id: target for found in successors.values() for target in found}
    progress = await progress_of_criteria(uow.session, aim.id, {*successors, *targets})
    # An aim that moves back finds what it left in the version before.
    mappings: dict[tuple[int, int], EvidenceMapping] = {
        (each.criterion_id, each.evidence_id): each for each in await mappings_of_criteria(uow.session, aim.id, targets)
    }
    for each in await mappings_of_criteria(uow.session, aim.id, successors):
        await _move(uow, each, successors[each.criterion_id], mappings)
    keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id, "aim_id": aim.id}
    for target in targets.values():
        sources = [progress[key] for key in (*_sources(successors, target), target.id) if key in progress]
        if not sources:
            continue
        row = progress.get(target.id)
        if row is None:
            row = CriterionProgress(**keys, criterion_id=target.id, unit_id=target.unit_id)
            uow.session.add(row)
        signed = [each for each in sources if each.signed_off and each.signed_off_at is not None]
        last = max(signed, key=lambda each: each.signed_off_at or uow.now, default=None)
        row.evidence_count = sum(criterion == target.id for criterion, _ in mappings)
        row.signed_off = last is not None
        row.signed_off_by_id = last.signed_off_by_id if last else None
        row.signed_off_at = last.signed_off_at if last else None
    for key in successors.keys() & progress.keys() - targets.keys():
        await uow.session.delete(progress[key])
    return {
        target.unit_id for target in targets.values() if any(key in progress for key in _sources(successors, target))
    }


def _sources(successors: Mapping[int, list[QualificationCriterion]], target: QualificationCriterion) -> Iterable[int]:
    return [key for key, found in successors.items() if target in found]


async def _move(
    uow: UnitOfWork,
    mapping: EvidenceMapping,
    targets: Sequence[QualificationCriterion],
    mappings: dict[tuple[int, int], EvidenceMapping],
) -> None:
    """Replaces a mapping by one to each successor; two of the same evidence with one successor become one."""
    await uow.session.delete(mapping)
    for target in targets:
        key = target.id, mapping.evidence_id
        existing = mappings.get(key)
        if existing is not None:
            existing.signed_off = existing.signed_off or mapping.signed_off
            continue
        mappings[key] = EvidenceMapping(
            provider_id=mapping.provider_id, learner_id=mapping.learner_id, evidence_id=mapping.evidence_id,
            aim_id=mapping.aim_id, unit_id=target.unit_id, criterion_id=target.id, signed_off=mapping.signed_off,
            mapped_by_id=mapping.mapped_by_id, mapped_at=mapping.mapped_at,
        )  # fmt: skip
        uow.session.add(mappings[key])
