"""What a learner of the demo has reached in an aim: evidence, criteria with their sums, and signatures on units."""

import datetime as dt
import random
from typing import Any

from db.models import registry as tables
from domain import confirmation_statements as signing
from domain.enums import AimStatus, AssessmentMethod, EvidenceStatus, Role
from services.demo import sample_files as files
from services.demo import texts as words
from services.demo.bulk_rows import at
from services.demo.learner_builder import SAMPLES, AimPlan, Portfolio, UnitWords


def add_aim(portfolio: Portfolio, aim: AimPlan) -> None:
    """The aim, its evidence, what has been reached in each criterion, the sums of it, and its units' signatures."""
    row = portfolio.rows.add(
        tables.Aim, qualification_id=aim.qualification.key, status=aim.status, assessor_id=aim.assessor, iqa_id=aim.iqa,
        start_date=aim.start, planned_end_date=aim.planned_end, actual_end_date=aim.actual_end,
        created_at=at(min(aim.start, portfolio.settled)), **portfolio.mine,
    )  # fmt: skip
    aim.key = row["id"]
    total = aim.qualification.criterion_count
    mapped = round(total * aim.mapped)
    reached = _reach(portfolio, aim, mapped, round(mapped * aim.signed))
    portfolio.rows.add(
        tables.AimProgress, aim_id=aim.key, criteria_total=total, criteria_mapped=mapped,
        criteria_signed_off=sum(entry["signed_off"] for entry in reached.values()), **portfolio.mine,
    )  # fmt: skip
    _sign_units(portfolio, aim, reached)
    if aim.status is AimStatus.IN_TRAINING and aim.start < portfolio.today - dt.timedelta(days=20):
        _add_unassessed(portfolio, aim)


def _reach(portfolio: Portfolio, aim: AimPlan, mapped: int, signed: int) -> dict[int, dict[str, Any]]:
    """Evidence over `mapped` criteria, the first `signed` of them signed off; criterion key -> its progress row."""
    pick, rows = portfolio.random, portfolio.rows
    # Units are worked on roughly in order, several at a time.
    order = sorted(
        ((unit.key, criterion) for unit in aim.qualification.units for criterion in unit.criteria),
        key=dict(_ranks(pick, aim)).get,
    )[:mapped]
    sizes = (12, 20) if portfolio.lean else (3, 7)
    last = min(aim.actual_end or portfolio.settled, portfolio.settled)
    days = max((last - aim.start).days - 10, 1)
    reached: dict[int, dict[str, Any]] = {}
    place = 0
    while place < mapped:
        group = order[place : place + pick.randint(*sizes)]
        place += len(group)
        submitted = min(aim.start + dt.timedelta(days=3 + days * place // mapped), last)
        assessed = min(submitted + dt.timedelta(days=pick.randint(2, 7)), last)
        evidence = _add_evidence(portfolio, aim, EvidenceStatus.ASSESSED, submitted, assessed)
        if not portfolio.lean and reached and pick.random() < 0.3:
            # A piece of evidence often bears on a criterion that already has some.
            criterion, entry = pick.choice(list(reached.items()))
            entry["evidence_count"] += 1
            _map(portfolio, aim, evidence, entry["unit_id"], criterion, entry["signed_off"])
        for unit, criterion in group:
            met = len(reached) < signed
            _map(portfolio, aim, evidence, unit, criterion, met)
            reached[criterion] = rows.add(
                tables.CriterionProgress, aim_id=aim.key, criterion_id=criterion, unit_id=unit, evidence_count=1,
                signed_off=met, signed_off_by_id=aim.assessor if met else None,
                signed_off_at=evidence["assessed_at"] if met else None, **portfolio.mine,
            )  # fmt: skip
    return reached


def _ranks(pick: random.Random, aim: AimPlan) -> list[tuple[tuple[int, int], float]]:
    return [
        ((unit.key, criterion), position + pick.random() * 2.5)
        for position, unit in enumerate(aim.qualification.units)
        for criterion in unit.criteria
    ]


def _map(portfolio: Portfolio, aim: AimPlan, evidence: dict[str, Any], unit: int, criterion: int, met: bool) -> None:
    portfolio.rows.add(
        tables.EvidenceMapping, evidence_id=evidence["id"], aim_id=aim.key, unit_id=unit, criterion_id=criterion,
        signed_off=met, mapped_by_id=aim.assessor, mapped_at=evidence["assessed_at"], **portfolio.mine,
    )  # fmt: skip


def _add_evidence(
    portfolio: Portfolio, aim: AimPlan, status: EvidenceStatus, submitted: dt.date, assessed: dt.date | None = None
) -> dict[str, Any]:
    """A piece of evidence with its versions and signatures; assessed on `assessed` or waiting."""
    pick, rows = portfolio.random, portfolio.rows
    title, description, sample, methods = pick.choice(words.EVIDENCE)
    by, role, content = portfolio.learner["user_id"], Role.LEARNER, SAMPLES["wheel" if portfolio.lean else sample]()
    if not portfolio.lean and status is not EvidenceStatus.RETURNED and pick.random() < 0.15:
        if portfolio.managers and pick.random() < 0.6:
            (title, description), by, role = words.WITNESS, pick.choice(portfolio.managers), Role.EMPLOYER_MANAGER
            content, methods = files.witness_statement(), (AssessmentMethod.WITNESS_TESTIMONY,)
        else:
            (title, description), by, role = words.OBSERVATION, aim.assessor, Role.ASSESSOR
            content, methods = files.witness_statement(), (AssessmentMethod.OBSERVATION,)
    first = portfolio.moment(submitted)
    again = status is EvidenceStatus.RESUBMITTED or (
        assessed is not None and not portfolio.lean and pick.random() < 0.12
    )
    moments = [first, first + dt.timedelta(hours=pick.randint(3, 20))] if again else [first]
    uploads = [portfolio.file(content, moment, by, aim.key) for moment in moments]
    judged = max(portfolio.moment(assessed), moments[-1] + dt.timedelta(hours=1)) if assessed else None
    returned = first + dt.timedelta(hours=2) if again or status is EvidenceStatus.RETURNED else None
    evidence = rows.add(
        tables.Evidence, aim_id=aim.key, title=title, description=description, status=status,
        file_id=uploads[-1]["id"], declared_own_work=True, submitted_by_id=by, submitted_at=first,
        assessment_methods=[method.value for method in methods] if judged else [],
        feedback=pick.choice(words.ASSESSED) if judged else None,
        points_for_improvement=pick.choice(words.RETURNED) if returned else None,
        assessed_by_id=aim.assessor if judged else None, assessed_at=judged, **portfolio.mine,
    )  # fmt: skip
    for number, (moment, upload) in enumerate(zip(moments, uploads, strict=True), 1):
        rows.add(
            tables.EvidenceVersion, evidence_id=evidence["id"], number=number, file_id=upload["id"],
            comment=pick.choice(words.RESUBMITTED) if number > 1 else None, submitted_by_id=by, submitted_at=moment,
            **portfolio.mine,
        )  # fmt: skip
        if number == 1:
            _sign_evidence(portfolio, evidence, number, upload, role, by, moment, own_work=True)
        action_name = "evidenceSubmit" if number == 1 else "evidenceResubmit"
        portfolio.note(moment, by, role, action_name, "Evidence", evidence["id"], aim=aim.key)
    if returned:
        portfolio.note(returned, aim.assessor, Role.ASSESSOR, "evidenceReturn", "Evidence", evidence["id"], aim=aim.key)
    if judged:
        portfolio.note(judged, aim.assessor, Role.ASSESSOR, "evidenceAssess", "Evidence", evidence["id"], aim=aim.key)
        if role is not Role.ASSESSOR and not portfolio.lean and pick.random() < 0.5:
            _sign_evidence(portfolio, evidence, len(uploads), uploads[-1], Role.ASSESSOR, aim.assessor, judged)
    return evidence


def _sign_evidence(
    portfolio: Portfolio, evidence: dict[str, Any], number: int, upload: dict[str, Any], role: Role, by: int,
    moment: dt.datetime, own_work: bool = False,
) -> None:  # fmt: skip
    portfolio.rows.add(
        tables.EvidenceSignature, evidence_id=evidence["id"], version_number=number, role=role, signed_by_id=by,
        signed_at=moment, statement=signing.evidence_statement(evidence["title"], own_work),
        file_sha256=upload["sha256"], **portfolio.mine,
    )  # fmt: skip
    if not own_work:
        portfolio.note(moment, by, role, "evidenceSign", "Evidence", evidence["id"], aim=evidence["aim_id"])


def _add_unassessed(portfolio: Portfolio, aim: AimPlan) -> None:
    """What lies with the assessor, or with the learner again, in these days."""
    pick = portfolio.random
    for status, chance in (
        (EvidenceStatus.SUBMITTED, 0.6), (EvidenceStatus.RETURNED, 0.3), (EvidenceStatus.RESUBMITTED, 0.2),
    ):  # fmt: skip
        if pick.random() < chance:
            _add_evidence(portfolio, aim, status, portfolio.today - dt.timedelta(days=pick.randint(2, 12)))


def _sign_units(portfolio: Portfolio, aim: AimPlan, reached: dict[int, dict[str, Any]]) -> None:
    """Signatures on the units whose criteria are all signed off; one or two of them have been taken back before."""
    pick, finished = portfolio.random, aim.status is AimStatus.COMPLETED
    for unit in aim.qualification.units:
        entries = [reached.get(criterion) for criterion in unit.criteria]
        if not all(entry and entry["signed_off"] for entry in entries) or (not finished and pick.random() < 0.2):
            continue
        states = [(entry["criterion_id"], entry["evidence_count"], True) for entry in entries]
        last = max(entry["signed_off_at"] for entry in entries)
        statement = signing.unit_statement(unit.number, unit.title, aim.qualification.title, portfolio.name)
        signers = [(Role.ASSESSOR, aim.assessor)]
        if not portfolio.lean:
            signers += [(Role.LEARNER, portfolio.learner["user_id"])] if pick.random() < 0.3 else []
            signers += [(Role.IQA, aim.iqa)] if aim.iqa and (finished or pick.random() < 0.3) else []
        if not portfolio.lean and pick.random() < 0.1:
            before = [(criterion, 1, True) for criterion, _, _ in states]
            _sign_unit(portfolio, aim, unit, signers[0], last - dt.timedelta(hours=3), statement, before, last)
        for number, signer in enumerate(signers):
            _sign_unit(portfolio, aim, unit, signer, last + dt.timedelta(minutes=10 * (number + 1)), statement, states)


def _sign_unit(
    portfolio: Portfolio, aim: AimPlan, unit: UnitWords, signer: tuple[Role, int], moment: dt.datetime, statement: str,
    states: list[tuple[int, int, bool]], withdrawn: dt.datetime | None = None,
) -> None:  # fmt: skip
    role, by = signer
    portfolio.rows.add(
        tables.UnitSignature, aim_id=aim.key, unit_id=unit.key, role=role, signed_by_id=by, signed_at=moment,
        statement=statement, content_sha256=signing.unit_sha256(statement, states), withdrawn_at=withdrawn,
        withdrawn_reason="New evidence was mapped to the unit." if withdrawn else None, **portfolio.mine,
    )  # fmt: skip
    portfolio.note(moment, by, role, "unitSign", "Unit", aim.key, unit.key, aim=aim.key)
