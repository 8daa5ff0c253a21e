"""Adds signatures on the units of an aim whose criteria are all signed off."""

import datetime as dt
from typing import Any

from db.models.unit_signature import UnitSignature
from domain import confirmation_statements as statements
from domain.enums import AimStatus, Role
from services.demo.portfolio import AimPlan, Portfolio
from services.demo.stored_qualification import StoredUnit

# (criterion key, evidence count, signed off), as `statements.unit_sha256` takes it.
CriterionState = tuple[int, int, bool]


def sign_units(portfolio: Portfolio, aim: AimPlan, progress: dict[int, dict[str, Any]]) -> None:
    """Signs most of the finished units; a few have an earlier signature that was withdrawn.

    `progress`: {criterion key: its progress row}.
    """
    rng, finished = portfolio.rng, aim.status is AimStatus.COMPLETED
    for unit in aim.qualification.units:
        rows = [progress[criterion] for criterion in unit.criteria if criterion in progress]
        signed_off = len(rows) == len(unit.criteria) and all(row["signed_off"] for row in rows)
        if not signed_off or (not finished and rng.random() < 0.2):
            continue
        states = [(row["criterion_id"], row["evidence_count"], True) for row in rows]
        last = max(row["signed_off_at"] for row in rows)
        statement = statements.unit_statement(unit.number, unit.title, aim.qualification.title, portfolio.name)
        signers = [(Role.ASSESSOR, aim.assessor)]
        if not portfolio.lean:
            signers += [(Role.LEARNER, portfolio.learner["user_id"])] if rng.random() < 0.3 else []
            signers += [(Role.IQA, aim.iqa)] if aim.iqa and (finished or rng.random() < 0.3) else []
        if not portfolio.lean and rng.random() < 0.1:
            before = [(criterion, 1, True) for criterion, _, _ in states]
            add_signature(portfolio, aim, unit, signers[:1], last - dt.timedelta(hours=3), statement, before, last)
        for number in range(1, len(signers) + 1):
            add_signature(
                portfolio, aim, unit, signers[:number], last + dt.timedelta(minutes=10 * number), statement, states
            )


def add_signature(
    portfolio: Portfolio, aim: AimPlan, unit: StoredUnit, signers: list[tuple[Role, int]], at: dt.datetime,
    statement: str, states: list[CriterionState], withdrawn_at: dt.datetime | None = None,
    withdrawn_reason: str = "New evidence was mapped to the unit.",
) -> None:  # fmt: skip
    """Adds the signature of the last of the signers; the others have signed before."""
    role, by = signers[-1]
    completes_unit = portfolio.signing_roles.issubset(role for role, _ in signers)
    portfolio.rows.add(
        UnitSignature, aim_id=aim.key, unit_id=unit.key, role=role, signed_by_id=by, signed_at=at,
        statement=statement, content_sha256=statements.unit_sha256(statement, states), withdrawn_at=withdrawn_at,
        withdrawn_reason=withdrawn_reason if withdrawn_at else None,
        completes_unit=completes_unit, **portfolio.owner,
    )  # fmt: skip
    portfolio.log(at, by, role, "unitSign", "Unit", aim.key, unit.key, aim=aim.key)
