"""Begins a sample for an IQA with a snapshot of the unit, and concludes it with findings."""

from collections.abc import Sequence
from typing import TypedDict

from sqlalchemy import update

from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.sample import Sample, SampleAction, SampleFinding
from db.models.user import User
from domain import global_id
from domain.enums import Role, SampleOutcome, SampleStatus, TaskKind, UserErrorCode
from domain.errors import not_found, reject
from domain.sentences import say
from repositories.sample import mappings_of_unit, snapshot
from repositories.unit import active_signatures
from resolvers.core.task_mail import send_task_mail
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.evidence.sign_off import withdraw_unit_signatures
from resolvers.rules.sample import SAMPLE, SampleState
from services.mail.sampling_messages import sample_concluded

MAX_FINDINGS, MAX_ACTIONS = 200, 20
# Learners read this, and sampling is internal: it does not say why.
TAKEN_BACK = "The sign-off of the unit was taken back."
_MARKS = ("valid", "authentic", "current", "sufficient")


class Finding(TypedDict, total=False):
    """What the IQA found of the unit, or of one criterion or one piece of evidence, by their ids."""

    criterion_id: str | None
    evidence_id: str | None
    valid: bool
    authentic: bool
    current: bool
    sufficient: bool
    comment: str | None


@mutation("sampleBegin")
async def begin(uow: UnitOfWork, *, id: str) -> int:
    """Takes a snapshot of the unit that the IQA is about to check; beginning again takes a new one.

    Rejects with NOT_FOUND, NOT_ALLOWED for who assessed the unit, INVALID without evidence, and CONFLICT once it is
    concluded.
    """
    sample, aim = await _locked_sample(uow, id)
    sha256 = await snapshot(uow.session, aim.id, sample.unit_id)
    assessors = await assessors_of(uow, aim, sample.unit_id)
    uow.require(SAMPLE, _state(sample), assessors=assessors, has_evidence=sha256 is not None)
    if sample.status is SampleStatus.IN_PROGRESS and sample.snapshot_sha256 == sha256:
        return sample.id
    sample.status, sample.snapshot_sha256 = SampleStatus.IN_PROGRESS, sha256
    uow.audit("Sample", sample.id, learner_id=aim.learner_id, aim_id=aim.id, sha256=sha256)
    return sample.id


@mutation("sampleConclude")
async def conclude(
    uow: UnitOfWork, *, id: str, outcome: SampleOutcome, findings: Sequence[Finding], actions: Sequence[str] = ()
) -> int:
    """Records what the IQA found; actions, if any, are for the assessor.

    REJECTED withdraws the signatures of the unit, and the sign-offs of the criteria that a finding faults. Rejects with
    NOT_FOUND, NOT_ALLOWED for who assessed the unit, REQUIRED and INVALID for the fields, and CONFLICT where it was not
    begun, is concluded, or the unit has changed since.
    """
    sample, aim = await _locked_sample(uow, id)
    uow.require(SAMPLE, _state(sample), assessors=await assessors_of(uow, aim, sample.unit_id))
    mappings = await mappings_of_unit(uow.session, aim.id, sample.unit_id)
    rows = [
        _finding(uow, sample, aim, mappings, finding, "input", "findings", str(index))
        for index, finding in enumerate(findings[:MAX_FINDINGS])
    ]
    texts = [multi_line(uow, text, "input", "actions", str(index)) for index, text in enumerate(actions[:MAX_ACTIONS])]
    faulted = [row for row in rows if not all(getattr(row, mark) for mark in _MARKS)]
    _check_outcome(uow, outcome, len(findings), len(actions), bool(faulted))
    uow.raise_errors()
    if await snapshot(uow.session, aim.id, sample.unit_id) != sample.snapshot_sha256:
        raise reject(UserErrorCode.CONFLICT, say("SAMPLED_UNIT_CHANGED"), "input")
    sample.assessor_id, sample.iqa_id = aim.assessor_id or sample.assessor_id, aim.iqa_id or sample.iqa_id
    sample.outcome, sample.concluded_at = outcome, uow.now
    sample.status = SampleStatus.ACTION_REQUIRED if texts else SampleStatus.CONCLUDED
    owner = {"provider_id": aim.provider_id, "learner_id": aim.learner_id, "sample_id": sample.id}
    uow.session.add_all(rows)
    uow.session.add_all(SampleAction(**owner, aim_id=aim.id, description=text) for text in texts)
    withdrawn = 0
    if outcome is SampleOutcome.REJECTED:
        withdrawn = await withdraw_unit_signatures(uow, aim.id, {sample.unit_id: TAKEN_BACK})
        await _take_back_criteria(uow, aim, _criteria_of(faulted, mappings))
    if outcome is not SampleOutcome.ACCEPTED:
        assessor = await uow.session.get_one(User, sample.assessor_id)
        mail = sample_concluded(name=assessor.name, iqa=uow.viewer.name, rejected=outcome is SampleOutcome.REJECTED)
        about = ("Sample", sample.id)
        if outcome is SampleOutcome.REJECTED:
            # Also to who wants no e-mails about actions: signatures were withdrawn.
            uow.send_mail(assessor.email, mail, *about)
        else:
            kind = TaskKind.ANSWER_SAMPLE
            send_task_mail(uow, kind, assessor.id, assessor.email, assessor.email_for, mail, *about)
    uow.audit(
        "Sample", sample.id, learner_id=aim.learner_id, aim_id=aim.id, outcome=outcome.value,
        sha256=sample.snapshot_sha256, actions=len(texts), signatures_withdrawn=withdrawn,
    )  # fmt: skip
    return sample.id


async def _locked_sample(uow: UnitOfWork, id: str) -> tuple[Sample, Aim]:
    """Returns a sample and its aim, both locked. Rejects with NOT_FOUND, and NOT_ALLOWED for the role."""
    found = await uow.get_or_none(Sample, global_id.decode("Sample", id), locked=False)
    # The aim first, as everything that changes its evidence locks it.
    aim = await uow.get_or_none(Aim, found.aim_id) if found is not None else None
    if found is None or aim is None:
        raise not_found("id")
    uow.authorize()
    await uow.session.refresh(found, with_for_update={"key_share": True})
    return found, aim


async def assessors_of(uow: UnitOfWork, aim: Aim, unit_key: int) -> set[int]:
    """Returns who assesses the aim, or has signed the unit as its assessor, by user key."""
    signatures = await active_signatures(uow.session, aim.id, [unit_key])
    signed = {signature.signed_by_id for signature in signatures if signature.role is Role.ASSESSOR}
    return signed | {aim.assessor_id or 0}


def _state(sample: Sample) -> SampleState:
    return SampleState(sample.learner_id, sample.status, sample.concluded_at is not None)


def _finding(
    uow: UnitOfWork, sample: Sample, aim: Aim, mappings: Sequence[tuple[int, int]], finding: Finding, *at: str
) -> SampleFinding:
    """Returns the row of a finding; records NOT_FOUND for what is not in the unit, and REQUIRED without a reason."""
    marks = {mark: finding[mark] for mark in _MARKS}  # type: ignore[literal-required]  # names of `Finding`
    comment = multi_line(uow, finding.get("comment") or "", *at, "comment", required=not all(marks.values()))
    criterion, evidence = finding.get("criterion_id"), finding.get("evidence_id")
    criterion_key = evidence_key = None
    if criterion is not None:
        aim_key, criterion_key = global_id.decode_pair("Criterion", criterion) or (0, 0)
        if aim_key != aim.id or criterion_key not in {pair[0] for pair in mappings}:
            uow.add_not_found(*at, "criterionId")
    if evidence is not None:
        evidence_key = global_id.decode("Evidence", evidence)
        if evidence_key not in {pair[1] for pair in mappings}:
            uow.add_not_found(*at, "evidenceId")
    return SampleFinding(
        provider_id=aim.provider_id, learner_id=aim.learner_id, sample_id=sample.id, criterion_id=criterion_key,
        evidence_id=evidence_key, comment=comment or None, **marks,
    )  # fmt: skip


def _check_outcome(uow: UnitOfWork, outcome: SampleOutcome, findings: int, actions: int, faulted: bool) -> None:
    if not findings:
        uow.add_error(UserErrorCode.REQUIRED, say("FINDINGS_MISSING"), "input", "findings")
    elif findings > MAX_FINDINGS:
        uow.add_error(UserErrorCode.INVALID, say("TOO_MANY_FINDINGS", most=MAX_FINDINGS), "input", "findings")
    if actions > MAX_ACTIONS:
        uow.add_error(UserErrorCode.INVALID, say("TOO_MANY_SAMPLE_ACTIONS", most=MAX_ACTIONS), "input", "actions")
    if outcome is SampleOutcome.ACTION_REQUIRED and not actions:
        uow.add_error(UserErrorCode.REQUIRED, say("SAMPLE_ACTIONS_MISSING"), "input", "actions")
    if outcome is SampleOutcome.ACCEPTED and (faulted or actions):
        uow.add_error(UserErrorCode.INVALID, say("SAMPLE_NOT_ACCEPTABLE"), "input", "outcome")
    if outcome is SampleOutcome.REJECTED and findings and not faulted:
        uow.add_error(UserErrorCode.INVALID, say("REJECTION_WITHOUT_FINDING"), "input", "outcome")


def _criteria_of(faulted: Sequence[SampleFinding], mappings: Sequence[tuple[int, int]]) -> set[int]:
    """Returns the criteria that findings fault, themselves or by their evidence."""
    named = {finding.criterion_id for finding in faulted if finding.criterion_id is not None}
    evidence = {finding.evidence_id for finding in faulted if finding.criterion_id is None}
    return named | {criterion for criterion, key in mappings if key in evidence}


async def _take_back_criteria(uow: UnitOfWork, aim: Aim, criteria: set[int]) -> None:
    """Takes back the sign-off of criteria of the aim; their evidence stays mapped."""
    if not criteria:
        return
    together = {"synchronize_session": False}
    mapped = update(EvidenceMapping).where(EvidenceMapping.aim_id == aim.id, EvidenceMapping.criterion_id.in_(criteria))
    await uow.session.execute(mapped.values(signed_off=False), execution_options=together)
    reached = update(CriterionProgress).where(
        CriterionProgress.aim_id == aim.id, CriterionProgress.criterion_id.in_(criteria)
    )
    nothing = {"signed_off": False, "signed_off_by_id": None, "signed_off_at": None}
    await uow.session.execute(reached.values(nothing), execution_options=together)
    uow.recount_progress(aim.id)
