"""Adds an aim of a learner: evidence, the progress of each criterion with the sums, and signatures on units."""

import datetime as dt
import random
from typing import Any

from db.models.aim import Aim, AimProgress
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from domain import confirmation_statements as statements
from domain.clock import london_time
from domain.enums import AimOutcome, AimStatus, AssessmentMethod, EvidenceStatus, Role
from services.demo import texts
from services.demo.aim_history import add_earlier_version, add_history, choose_units
from services.demo.portfolio import AimPlan, Portfolio
from services.demo.sample_files import sample
from services.demo.unit_signatures import sign_units

# What an aim of the demo that has ended came to.
_OUTCOMES = {AimStatus.COMPLETED: AimOutcome.ACHIEVED, AimStatus.WITHDRAWN: AimOutcome.NOT_ACHIEVED}


def add_aim(portfolio: Portfolio, aim: AimPlan) -> None:
    """Adds the aim with its evidence, criterion progress, sums and unit signatures; sets `aim.key`."""
    row = portfolio.rows.add(
        Aim, qualification_id=aim.qualification.key, status=aim.status, assessor_id=aim.assessor, iqa_id=aim.iqa,
        start_date=aim.start, planned_end_date=aim.planned_end, actual_end_date=aim.actual_end,
        outcome=_OUTCOMES.get(aim.status), created_at=london_time(min(aim.start, portfolio.settled)), **portfolio.owner,
    )  # fmt: skip
    aim.key = row["id"]
    chosen = choose_units(portfolio, aim)
    total = aim.qualification.criterion_count
    mapped = round(total * aim.mapped)
    progress = _add_assessed(portfolio, aim, mapped, round(mapped * aim.signed_off))
    portfolio.rows.add(
        AimProgress, aim_id=aim.key, criteria_total=total, criteria_mapped=mapped,
        criteria_signed_off=sum(criterion["signed_off"] for criterion in progress.values()),
        **add_history(portfolio, aim), **chosen,
        required_minutes=60 * aim.qualification.off_the_job_hours, policy_id=aim.qualification.policy,
        **portfolio.owner,
    )  # fmt: skip
    if aim.earlier is not None:
        add_earlier_version(portfolio, aim, aim.earlier)
    sign_units(portfolio, aim, progress)
    if aim.status is AimStatus.IN_TRAINING and aim.start < portfolio.today - dt.timedelta(days=20):
        _add_unassessed(portfolio, aim)


def _add_assessed(portfolio: Portfolio, aim: AimPlan, mapped: int, signed_off: int) -> dict[int, dict[str, Any]]:
    """Adds evidence for `mapped` criteria, the first `signed_off` of them signed off.

    Returns {criterion key: its progress row}.
    """
    rng = portfolio.rng
    rank = _ranks(rng, aim)
    order = sorted(
        ((unit.key, criterion) for unit in aim.qualification.units for criterion in unit.criteria),
        key=lambda criterion: rank[criterion],
    )[:mapped]
    sizes = (12, 20) if portfolio.lean else (3, 7)
    last = min(aim.actual_end or portfolio.settled, portfolio.last_day)
    days = max((last - aim.start).days - 10, 1)
    progress: dict[int, dict[str, Any]] = {}
    done = 0
    while done < mapped:
        group = order[done : done + rng.randint(*sizes)]
        done += len(group)
        submitted = min(aim.start + dt.timedelta(days=3 + days * done // mapped), last)
        assessed = min(submitted + dt.timedelta(days=rng.randint(2, 7)), last)
        evidence = _add_evidence(portfolio, aim, EvidenceStatus.ASSESSED, submitted, assessed)
        if not portfolio.lean and progress and rng.random() < 0.3:
            # Evidence often adds to a criterion that has some already.
            criterion, row = rng.choice(list(progress.items()))
            row["evidence_count"] += 1
            _add_mapping(portfolio, aim, evidence, row["unit_id"], criterion, row["signed_off"])
        for unit, criterion in group:
            met = len(progress) < signed_off
            _add_mapping(portfolio, aim, evidence, unit, criterion, met)
            progress[criterion] = portfolio.rows.add(
                CriterionProgress, aim_id=aim.key, criterion_id=criterion, unit_id=unit, evidence_count=1,
                signed_off=met, signed_off_by_id=aim.assessor if met else None,
                signed_off_at=evidence["assessed_at"] if met else None, **portfolio.owner,
            )  # fmt: skip
    return progress


def _ranks(rng: random.Random, aim: AimPlan) -> dict[tuple[int, int], float]:
    """{(unit, criterion): rank}: units are worked on roughly in order, several at a time."""
    return {
        (unit.key, criterion): position + rng.random() * 2.5
        for position, unit in enumerate(aim.qualification.units)
        for criterion in unit.criteria
    }


def _add_mapping(
    portfolio: Portfolio, aim: AimPlan, evidence: dict[str, Any], unit: int, criterion: int, met: bool
) -> None:
    portfolio.rows.add(
        EvidenceMapping, evidence_id=evidence["id"], aim_id=aim.key, unit_id=unit, criterion_id=criterion,
        signed_off=met, mapped_by_id=aim.assessor, mapped_at=evidence["assessed_at"], **portfolio.owner,
    )  # fmt: skip


def _add_evidence(
    portfolio: Portfolio, aim: AimPlan, status: EvidenceStatus, submitted: dt.date, assessed: dt.date | None = None
) -> dict[str, Any]:
    """Adds a piece of evidence with its versions and signatures, assessed on the day `assessed` or not yet."""
    rng, rows = portfolio.rng, portfolio.rows
    title, description, key, methods = rng.choice(texts.EVIDENCE)
    by, role, content = portfolio.learner["user_id"], Role.LEARNER, sample("wheel" if portfolio.lean else key)
    if not portfolio.lean and status is not EvidenceStatus.RETURNED and rng.random() < 0.15:
        content = sample("witness statement")
        if portfolio.managers and rng.random() < 0.6:
            (title, description), by, role = texts.WITNESS, rng.choice(portfolio.managers), Role.EMPLOYER_MANAGER
            methods = (AssessmentMethod.WITNESS_TESTIMONY,)
        else:
            (title, description), by, role = texts.OBSERVATION, aim.assessor, Role.ASSESSOR
            methods = (AssessmentMethod.OBSERVATION,)
    first = portfolio.working_hour(submitted)
    resubmitted = status is EvidenceStatus.RESUBMITTED or (
        assessed is not None and not portfolio.lean and rng.random() < 0.12
    )
    submissions = [first, first + dt.timedelta(hours=rng.randint(3, 20))] if resubmitted else [first]
    uploads = [portfolio.add_file(content, at, by, aim.key) for at in submissions]
    assessed_at = max(portfolio.working_hour(assessed), submissions[-1] + dt.timedelta(hours=1)) if assessed else None
    returned_at = first + dt.timedelta(hours=2) if resubmitted or status is EvidenceStatus.RETURNED else None
    evidence = rows.add(
        Evidence, aim_id=aim.key, title=title, description=description, status=status,
        file_id=uploads[-1]["id"], declared_own_work=True, submitted_by_id=by, submitted_at=first,
        assessment_methods=[method.value for method in methods] if assessed_at else [],
        feedback=rng.choice(texts.ASSESSED) if assessed_at else None,
        points_for_improvement=rng.choice(texts.RETURNED) if returned_at else None,
        assessed_by_id=aim.assessor if assessed_at else None, assessed_at=assessed_at, **portfolio.owner,
    )  # fmt: skip
    for number, (at, upload) in enumerate(zip(submissions, uploads, strict=True), 1):
        rows.add(
            EvidenceVersion, evidence_id=evidence["id"], number=number, file_id=upload["id"],
            comment=rng.choice(texts.RESUBMITTED) if number > 1 else None, submitted_by_id=by, submitted_at=at,
            **portfolio.owner,
        )  # fmt: skip
        if number == 1:
            _sign_evidence(portfolio, evidence, number, upload, role, by, at, own_work=True)
        action = "evidenceSubmit" if number == 1 else "evidenceResubmit"
        portfolio.log(at, by, role, action, "Evidence", evidence["id"], aim=aim.key)
    if returned_at:
        portfolio.log(
            returned_at, aim.assessor, Role.ASSESSOR, "evidenceReturn", "Evidence", evidence["id"], aim=aim.key
        )
    if assessed_at:
        portfolio.log(
            assessed_at, aim.assessor, Role.ASSESSOR, "evidenceAssess", "Evidence", evidence["id"], aim=aim.key
        )
        if role is not Role.ASSESSOR and not portfolio.lean and rng.random() < 0.5:
            _sign_evidence(portfolio, evidence, len(uploads), uploads[-1], Role.ASSESSOR, aim.assessor, assessed_at)
    return evidence


def _sign_evidence(
    portfolio: Portfolio, evidence: dict[str, Any], number: int, upload: dict[str, Any], role: Role, by: int,
    at: dt.datetime, own_work: bool = False,
) -> None:  # fmt: skip
    portfolio.rows.add(
        EvidenceSignature, evidence_id=evidence["id"], version_number=number, role=role, signed_by_id=by,
        signed_at=at, statement=statements.evidence_statement(evidence["title"], own_work),
        file_sha256=upload["sha256"], **portfolio.owner,
    )  # fmt: skip
    if not own_work:
        portfolio.log(at, by, role, "evidenceSign", "Evidence", evidence["id"], aim=evidence["aim_id"])


def _add_unassessed(portfolio: Portfolio, aim: AimPlan) -> None:
    """Adds recent evidence that the assessor has yet to assess, or that was returned to the learner."""
    rng = portfolio.rng
    for status, chance in (
        (EvidenceStatus.SUBMITTED, 0.6), (EvidenceStatus.RETURNED, 0.3), (EvidenceStatus.RESUBMITTED, 0.2),
    ):  # fmt: skip
        if rng.random() < chance:
            _add_evidence(portfolio, aim, status, portfolio.today - dt.timedelta(days=rng.randint(2, 12)))
