"""Adds samples of internal quality assurance in every state, for the first learners of a provider."""

import datetime as dt
from typing import Any

from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.file import File
from db.models.sample import Sample, SampleAction, SampleFinding, SamplingPolicy
from db.models.unit_signature import UnitSignature
from domain import confirmation_statements as statements
from domain.clock import london_time
from domain.enums import Role, SampleOutcome, SampleStatus
from domain.sampling import snapshot_sha256
from services.demo import texts
from services.demo.bulk_rows import Rows
from services.demo.portfolio import AimPlan, Portfolio
from services.demo.unit_signatures import add_signature

# What is shown, one sample each, in the order of the units with evidence.
_STATES = (
    (SampleStatus.CONCLUDED, SampleOutcome.ACCEPTED),
    (SampleStatus.ACTION_REQUIRED, SampleOutcome.ACTION_REQUIRED),
    (SampleStatus.IN_PROGRESS, None),
    (SampleStatus.CONCLUDED, SampleOutcome.REJECTED),
    (SampleStatus.PLANNED, None),
)
# As `resolvers.sampling.conclude` says it: learners read it.
_TAKEN_BACK = "The sign-off of the unit was taken back."
_DAYS_AGO = {SampleOutcome.ACCEPTED: 20, SampleOutcome.REJECTED: 16, SampleOutcome.ACTION_REQUIRED: 12}


def add_policy(rows: Rows, provider: int, today: dt.date) -> None:
    """Adds the provider's sampling policy."""
    at = london_time(today - dt.timedelta(days=400))
    rows.add(
        SamplingPolicy, provider_id=provider, aims_percent=25, units_percent=20, first_units_of_new_assessor=5,
        saved_at=at,
    )  # fmt: skip


def add_samples(portfolio: Portfolio) -> None:
    """Adds a sample in each state to the learner's units with evidence, of aims that have an IQA."""
    found: list[tuple[bool, int, AimPlan]] = []
    for aim in portfolio.aims:
        if aim.iqa is not None:
            signed = {row["unit_id"] for row in _of_aim(portfolio, UnitSignature, aim) if row["withdrawn_at"] is None}
            mapped = {row["unit_id"] for row in _of_aim(portfolio, EvidenceMapping, aim)}
            found += [(unit in signed, unit, aim) for unit in mapped]
    # A unit that was rejected is not signed; all others are, as far as there are signed ones.
    found.sort(key=lambda each: (not each[0], each[2].key, each[1]))
    units = dict(zip(_STATES, found, strict=False))
    units[SampleStatus.CONCLUDED, SampleOutcome.REJECTED] = found[-1]
    for (status, outcome), (_, unit, aim) in units.items():
        _add_sample(portfolio, aim, unit, status, outcome)


def _add_sample(
    portfolio: Portfolio, aim: AimPlan, unit: int, status: SampleStatus, outcome: SampleOutcome | None
) -> None:
    rows, today = portfolio.rows, portfolio.today
    concluded_at = london_time(today - dt.timedelta(days=_DAYS_AGO[outcome]), 14) if outcome else None
    planned_at = london_time(today - dt.timedelta(days=40), 10)
    sample = rows.add(
        Sample, aim_id=aim.key, unit_id=unit, assessor_id=aim.assessor, iqa_id=aim.iqa, status=status, outcome=outcome,
        planned_for=today - dt.timedelta(days=12) if outcome else today + dt.timedelta(days=5), planned_at=planned_at,
        snapshot_sha256=None if status is SampleStatus.PLANNED else _snapshot(portfolio, aim, unit),
        concluded_at=concluded_at, **portfolio.owner,
    )  # fmt: skip
    if status is SampleStatus.IN_PROGRESS:
        at = london_time(today - dt.timedelta(days=1), 15)
        portfolio.log(at, aim.iqa or 0, Role.IQA, "sampleBegin", "Sample", sample["id"], aim=aim.key)
    if outcome is None or concluded_at is None:
        return
    good = outcome is SampleOutcome.ACCEPTED
    criterion = next(row["criterion_id"] for row in _of_aim(portfolio, EvidenceMapping, aim) if row["unit_id"] == unit)
    rows.add(
        SampleFinding, sample_id=sample["id"], criterion_id=criterion, valid=True, authentic=True, current=True,
        sufficient=good, comment=texts.SAMPLE_COMMENTS[outcome], **portfolio.owner,
    )  # fmt: skip
    portfolio.log(concluded_at, aim.iqa or 0, Role.IQA, "sampleConclude", "Sample", sample["id"], aim=aim.key)
    if outcome is SampleOutcome.ACTION_REQUIRED:
        _add_actions(portfolio, aim, sample, concluded_at)
    if outcome is SampleOutcome.REJECTED:
        _take_back(portfolio, aim, unit, concluded_at)


def _take_back(portfolio: Portfolio, aim: AimPlan, key: int, rejected_at: dt.datetime) -> None:
    """Adds the signature with which the assessor had signed the unit off, withdrawn by the rejection."""
    unit = next(unit for unit in aim.qualification.units if unit.key == key)
    reached = [row for row in _of_aim(portfolio, CriterionProgress, aim) if row["unit_id"] == key]
    statement = statements.unit_statement(unit.number, unit.title, aim.qualification.title, portfolio.name)
    states = [(row["criterion_id"], row["evidence_count"], True) for row in reached]
    signed_at, signer = rejected_at - dt.timedelta(days=9), [(Role.ASSESSOR, aim.assessor)]
    add_signature(portfolio, aim, unit, signer, signed_at, statement, states, rejected_at, _TAKEN_BACK)


def _add_actions(portfolio: Portfolio, aim: AimPlan, sample: dict[str, Any], set_at: dt.datetime) -> None:
    """Adds an action that is closed, one that is answered, and one that waits for the assessor."""
    answered_at, closed_at = set_at + dt.timedelta(days=3), set_at + dt.timedelta(days=5)
    for position, (description, answer) in enumerate(texts.SAMPLE_ACTIONS):
        closed = position == 0
        action = portfolio.rows.add(
            SampleAction, aim_id=aim.key, sample_id=sample["id"], description=description, answer=answer,
            answered_by_id=aim.assessor if answer else None, answered_at=answered_at if answer else None,
            closed_by_id=aim.iqa if closed else None, closed_at=closed_at if closed else None, **portfolio.owner,
        )  # fmt: skip
        about = ("SampleAction", action["id"])
        if answer:
            portfolio.log(answered_at, aim.assessor, Role.ASSESSOR, "sampleActionAnswer", *about, aim=aim.key)
        if closed:
            portfolio.log(closed_at, aim.iqa or 0, Role.IQA, "sampleActionClose", *about, aim=aim.key)


def _of_aim(portfolio: Portfolio, table: Any, aim: AimPlan) -> list[dict[str, Any]]:
    return [row for row in portfolio.rows.of(table) if row["aim_id"] == aim.key]


def _snapshot(portfolio: Portfolio, aim: AimPlan, unit: int) -> str:
    """Returns the digest of the unit, as `repositories.sample.snapshot` computes it."""
    evidence = {row["id"]: row["file_id"] for row in _of_aim(portfolio, Evidence, aim)}
    files = {row["id"]: row["sha256"] for row in portfolio.rows.of(File)}
    mapped = [row for row in _of_aim(portfolio, EvidenceMapping, aim) if row["unit_id"] == unit]
    reached = [row for row in _of_aim(portfolio, CriterionProgress, aim) if row["unit_id"] == unit]
    signed = [row for row in _of_aim(portfolio, UnitSignature, aim) if row["unit_id"] == unit]
    return snapshot_sha256(
        [
            (row["criterion_id"], row["evidence_id"], row["signed_off"], files[evidence[row["evidence_id"]]])
            for row in mapped
        ],
        [(row["criterion_id"], row["signed_off"], row["signed_off_by_id"]) for row in reached],
        [(row["id"], row["signed_by_id"], row["content_sha256"]) for row in signed if row["withdrawn_at"] is None],
    )
