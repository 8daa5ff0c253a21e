"""Checks the progress sums in `aim_progress` and `criterion_progress` against the records that they count."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim, AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_unit import AimUnit
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.qualification import Qualification, QualificationUnit
from domain.breaks import BreakPeriod
from services.audit.batches import Batch, key_range, problems_in
from services.progress import BREAK_COLUMNS, break_columns, choice_columns, count_criteria


async def progress_mismatches(session: AsyncSession) -> list[str]:
    """A sentence for each stored sum that differs from a fresh count; empty if all are right."""
    return [problem async for problem in problems_in(session, check_progress)]


async def check_progress(session: AsyncSession, position: Any) -> Batch:
    """Checks the sums of the next aims. The position: the key of the last aim."""
    aims, last = await key_range(session, Aim.id, position)

    def within(aim_id: Any) -> ColumnElement[bool]:
        after = aim_id > (position if position is not None else -1)
        return after if last is None else and_(after, aim_id <= last)

    stored = [
        *await _aim_sums(session, aims),
        *await _breaks(session, aims, within(AimBreak.aim_id)),
        *await _choices(session, aims, within(AimUnit.aim_id)),
    ]
    return Batch([*stored, *await _evidence_counts(session, within)], last)


async def _aim_sums(session: AsyncSession, aims: ColumnElement[bool]) -> list[str]:
    total, mapped, signed_off = count_criteria(Aim.id)
    statement = (
        select(Aim.id, AimProgress, total.label("total"), mapped.label("mapped"), signed_off.label("signed_off"))
        .select_from(Aim)
        .outerjoin(AimProgress, AimProgress.aim_id == Aim.id)
        .where(
            aims,
            or_(
                AimProgress.aim_id.is_(None),
                AimProgress.learner_id != Aim.learner_id,
                AimProgress.criteria_total != total,
                AimProgress.criteria_mapped != mapped,
                AimProgress.criteria_signed_off != signed_off,
            ),
        )
    )
    return [
        f"aim {row.id}: stored {_describe(row.AimProgress)}, counted {row.total} criteria, "
        f"{row.mapped} mapped, {row.signed_off} signed off"
        for row in await session.execute(statement)
    ]


async def _breaks(session: AsyncSession, aims: ColumnElement[bool], breaks: ColumnElement[bool]) -> list[str]:
    periods: dict[int, list[BreakPeriod]] = defaultdict(list)
    recorded = select(AimBreak.aim_id, AimBreak.start_date, AimBreak.returned_on).where(breaks)
    for each in await session.execute(recorded.order_by(AimBreak.start_date)):
        periods[each.aim_id].append(BreakPeriod(each.start_date, each.returned_on))
    stored = select(Aim, AimProgress).join(AimProgress, AimProgress.aim_id == Aim.id)
    with_breaks = or_(AimProgress.breaks.is_not(None), AimProgress.aim_id.in_(select(AimBreak.aim_id)))
    return [
        f"aim {aim.id}: the stored breaks differ from those on record"
        for aim, sums in await session.execute(stored.where(aims, with_breaks))
        if {name: getattr(sums, name) for name in BREAK_COLUMNS}
        != break_columns(periods[aim.id], aim.start_date, aim.planned_end_date)
    ]


async def _choices(session: AsyncSession, aims: ColumnElement[bool], units: ColumnElement[bool]) -> list[str]:
    chosen: dict[int, list[int]] = defaultdict(list)
    of_version = and_(
        QualificationUnit.id == AimUnit.unit_id, QualificationUnit.qualification_id == Aim.qualification_id
    )
    pairs = select(AimUnit.aim_id, AimUnit.unit_id).join(Aim, Aim.id == AimUnit.aim_id)
    for each in await session.execute(pairs.join(QualificationUnit, of_version).where(units)):
        chosen[each.aim_id].append(each.unit_id)
    stored = (
        select(Aim.id, AimProgress.chosen_units, AimProgress.units_to_choose, Qualification.optional_units_minimum)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .join(Qualification, Qualification.id == Aim.qualification_id)
    )
    concerned = or_(
        AimProgress.chosen_units.is_not(None),
        AimProgress.units_to_choose > 0,
        Qualification.optional_units_minimum > 0,
        AimProgress.aim_id.in_(select(AimUnit.aim_id)),
    )
    return [
        f"aim {row.id}: the stored choice of units differs from the one on record"
        for row in await session.execute(stored.where(aims, concerned))
        if {"chosen_units": row.chosen_units, "units_to_choose": row.units_to_choose}
        != choice_columns(chosen[row.id], row.optional_units_minimum)
    ]


def _describe(sums: AimProgress | None) -> str:
    if sums is None:
        return "nothing"
    return f"{sums.criteria_total} criteria, {sums.criteria_mapped} mapped, {sums.criteria_signed_off} signed off"


async def _evidence_counts(session: AsyncSession, within: Callable[[Any], ColumnElement[bool]]) -> list[str]:
    return [
        f"aim {row.aim_id}, criterion {row.criterion_id}: "
        + (
            f"stored {row.evidence_count} evidence, counted {row.counted}"
            if row.is_stored
            else "evidence is mapped, but nothing is stored"
        )
        for row in await session.execute(differing_counts(within))
    ]


def differing_counts(within: Callable[[Any], ColumnElement[bool]]) -> Select[Any]:
    """Selects the criteria whose number of pieces of evidence is not as stored. `within`: a condition on the aim's key.

    Without a join: where keys have gaps, as after the move of a provider, PostgreSQL expects one row of hundreds of
    criteria, and would count the evidence of all of them again for each.
    """
    # unscoped: the operator checks every provider
    stored = select(
        CriterionProgress.aim_id, CriterionProgress.criterion_id,
        CriterionProgress.evidence_count.label("evidence_count"), literal(0).label("counted"),
        literal(1).label("is_stored"),
    )  # fmt: skip
    # unscoped: as above
    mapped = select(EvidenceMapping.aim_id, EvidenceMapping.criterion_id, literal(0), literal(1), literal(0))
    both = union_all(
        stored.where(within(CriterionProgress.aim_id)), mapped.where(within(EvidenceMapping.aim_id))
    ).subquery()
    sums = {name: func.sum(both.c[name]) for name in ("evidence_count", "counted", "is_stored")}
    return (
        select(both.c.aim_id, both.c.criterion_id, *(each.label(name) for name, each in sums.items()))
        .group_by(both.c.aim_id, both.c.criterion_id)
        .having(or_(sums["evidence_count"] != sums["counted"], sums["is_stored"] == 0))
        .order_by(both.c.aim_id, both.c.criterion_id)
    )
