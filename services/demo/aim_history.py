"""Adds the history of an aim's status, its breaks in learning and its chosen units."""

import datetime as dt
from typing import Any

from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from db.models.aim_unit import AimUnit
from db.models.aim_version import AimVersion
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from domain.clock import london_time
from domain.enums import AimStatus, BreakReason, Role
from services.demo.portfolio import AimPlan, Portfolio
from services.demo.stored_qualification import StoredQualification
from services.progress import break_columns, choice_columns

# Why a status was given, where somebody has to know later.
_REASONS = {AimStatus.WITHDRAWN: "Left the employer for a job without an apprenticeship."}


def add_history(portfolio: Portfolio, aim: AimPlan) -> dict[str, Any]:
    """Adds the rows. Returns the columns of `aim_progress` about the breaks."""
    enrolled = min(aim.start, portfolio.settled)
    changes: list[tuple[AimStatus, dt.date]] = [(AimStatus.AWAITING_INDUCTION, enrolled)]
    if aim.status is not AimStatus.AWAITING_INDUCTION:
        changes.append((AimStatus.IN_TRAINING, aim.start))
    for each in aim.breaks:
        changes.append((AimStatus.SUSPENDED, each.start))
        if each.returned is not None:
            changes.append((AimStatus.IN_TRAINING, each.returned))
        portfolio.rows.add(
            AimBreak, aim_id=aim.key, start_date=each.start, returned_on=each.returned,
            reason=portfolio.rng.choice((BreakReason.ILLNESS, BreakReason.PARENTAL_LEAVE)),
            created_by_id=aim.assessor, created_at=london_time(each.start), **portfolio.owner,
        )  # fmt: skip
    if aim.actual_end is not None:
        changes.append((aim.status, aim.actual_end))
    for status, day in changes:
        portfolio.rows.add(
            AimStatusChange, aim_id=aim.key, status=status, from_date=day, changed_by_id=aim.assessor,
            changed_at=london_time(day), reason=_REASONS.get(status), **portfolio.owner,
        )  # fmt: skip
    return break_columns(aim.breaks, aim.start, aim.planned_end)


def choose_units(portfolio: Portfolio, aim: AimPlan) -> dict[str, Any]:
    """Chooses the aim's optional units, and leaves only units that count in the plan's qualification.

    Returns the columns of `aim_progress` about the choice.
    """
    qualification = aim.qualification
    optional = [unit for unit in qualification.units if not unit.mandatory]
    minimum = qualification.optional_units_minimum
    units = portfolio.rng.sample(optional, minimum if aim.optional_units is None else aim.optional_units)
    aim.qualification = qualification.chosen(units)
    for unit in units:
        portfolio.rows.add(
            AimUnit, aim_id=aim.key, unit_id=unit.key, chosen_by_id=aim.assessor,
            chosen_at=london_time(min(aim.start, portfolio.settled)), **portfolio.owner,
        )  # fmt: skip
    return choice_columns([unit.key for unit in units], minimum)


def add_earlier_version(portfolio: Portfolio, aim: AimPlan, earlier: StoredQualification) -> None:
    """Adds that the aim moved here from an earlier version, in which a criterion without a successor was mapped."""
    moved = london_time(max(aim.start, portfolio.settled - dt.timedelta(days=40)))
    portfolio.rows.add(
        AimVersion, aim_id=aim.key, qualification_id=earlier.key, changed_by_id=aim.assessor, changed_at=moved,
        **portfolio.owner,
    )  # fmt: skip
    portfolio.log(moved, aim.assessor, Role.ASSESSOR, "aimVersionChange", "Aim", aim.key, aim=aim.key)
    unit = earlier.units[-1]
    keys = {"aim_id": aim.key, "unit_id": unit.key, "criterion_id": unit.criteria[-1], **portfolio.owner}
    evidence = next(each for each in portfolio.rows.of(Evidence) if each["aim_id"] == aim.key and each["assessed_at"])
    portfolio.rows.add(
        EvidenceMapping, evidence_id=evidence["id"], signed_off=False, mapped_by_id=aim.assessor,
        mapped_at=evidence["assessed_at"], **keys,
    )  # fmt: skip
    portfolio.rows.add(CriterionProgress, evidence_count=1, **keys)
