"""What is counted for an aim, stored in `aim_progress`: this module has the only statements that write it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, Update, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.cached_statement import cached_statement
from db.direct_statements import send
from db.history.daily_rows import note_aims
from db.models.aim import Aim, AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_unit import AimUnit
from db.models.base import Key
from db.models.criterion_progress import CriterionProgress
from db.models.qualification import Qualification, QualificationUnit
from domain.breaks import BreakPeriod, break_sums, format_periods
from services.change_feed.changed_parts import note_write


def _counted(aim_id: Any, *columns: Any, reached: ColumnElement[bool] | None = None) -> Select[Any]:
    """Selects columns of the units that count for an aim: those of its version that are mandatory or chosen.

    With `reached`, of the criteria of these units whose progress meets it.
    """
    # An alias, so that the statement around this one may select aims itself.
    aim = aliased(Aim)
    chosen = and_(AimUnit.aim_id == aim.id, AimUnit.unit_id == QualificationUnit.id)
    statement = (
        select(*columns)
        .select_from(aim)
        .join(QualificationUnit, QualificationUnit.qualification_id == aim.qualification_id)
        .outerjoin(AimUnit, chosen)
        .where(aim.id == aim_id, or_(QualificationUnit.mandatory, AimUnit.unit_id.is_not(None)))
    )
    if reached is None:
        return statement
    of_unit = and_(CriterionProgress.aim_id == aim.id, CriterionProgress.unit_id == QualificationUnit.id)
    return statement.join(CriterionProgress, of_unit).where(reached)


def count_criteria(aim_id: Any) -> tuple[ScalarSelect[int], ScalarSelect[int], ScalarSelect[int]]:
    """Subqueries that count the criteria of the units that count for an aim: (all, mapped, signed off).

    `aim_id`: a key or a column of keys.
    """
    total = _counted(aim_id, func.coalesce(func.sum(QualificationUnit.criterion_count), 0))
    is_mapped = or_(CriterionProgress.evidence_count > 0, CriterionProgress.signed_off)
    mapped = _counted(aim_id, func.count(), reached=is_mapped)
    signed_off = _counted(aim_id, func.count(), reached=CriterionProgress.signed_off.is_(True))
    return total.scalar_subquery(), mapped.scalar_subquery(), signed_off.scalar_subquery()


async def recount_progress(session: AsyncSession, aim_id: int) -> None:
    """Counts an aim's criteria and stores the sums, in the transaction that changed the criteria or the units."""
    note_aims(session, aim_id)
    note_write(session, AimProgress)
    await send(session, _storing_criteria(), {"aim": aim_id})


# Built once: to build it took a third of an assessment's calls.
@cached_statement
def _storing_criteria() -> Update:
    aim_key = bindparam("aim", type_=Key)
    total, mapped, signed_off = count_criteria(aim_key)
    # Of the table: nothing reads the sums from the session's objects afterwards.
    storing = update(AimProgress.__table__).where(AimProgress.aim_id == aim_key)
    return storing.values(criteria_total=total, criteria_mapped=mapped, criteria_signed_off=signed_off)


# ---------------------------------------------------------------------- breaks and chosen units

# The columns of `aim_progress` about breaks.
BREAK_COLUMNS = ("days_on_break", "break_since", "breaks")


def break_columns(periods: Sequence[BreakPeriod], start: dt.date, planned_end: dt.date) -> dict[str, Any]:
    """Returns the columns of `aim_progress` that say what an aim's breaks are."""
    days_on_break, break_since = break_sums(periods, start, planned_end)
    return {"days_on_break": days_on_break, "break_since": break_since, "breaks": format_periods(periods)}


async def recount_breaks(session: AsyncSession, aim: Aim) -> None:
    """Stores an aim's breaks and their days, in the transaction that changed a break or a date of the aim."""
    # unscoped: the aim was read within the viewer's scope
    found = await session.scalars(select(AimBreak).where(AimBreak.aim_id == aim.id).order_by(AimBreak.start_date))
    periods = [BreakPeriod(each.start_date, each.returned_on) for each in found]
    note_aims(session, aim.id)
    columns = break_columns(periods, aim.start_date, aim.planned_end_date)
    await session.execute(update(AimProgress).where(AimProgress.aim_id == aim.id).values(**columns))


def choice_columns(chosen: list[int], minimum: int) -> dict[str, Any]:
    """Returns the columns of `aim_progress` about chosen units, of which the qualification requires a minimum."""
    return {
        "chosen_units": " ".join(map(str, sorted(chosen))) or None,
        "units_to_choose": max(minimum - len(chosen), 0),
    }


async def recount_choice(session: AsyncSession, aim: Aim) -> None:
    """Stores an aim's chosen units, in the transaction that changed them."""
    # unscoped: the aim was read within the viewer's scope
    chosen = (
        select(AimUnit.unit_id)
        .join(QualificationUnit, QualificationUnit.id == AimUnit.unit_id)
        .where(AimUnit.aim_id == aim.id, QualificationUnit.qualification_id == aim.qualification_id)
    )
    minimum = select(Qualification.optional_units_minimum).where(Qualification.id == aim.qualification_id)
    columns = choice_columns(list(await session.scalars(chosen)), (await session.scalars(minimum)).one())
    note_aims(session, aim.id)
    await session.execute(update(AimProgress).where(AimProgress.aim_id == aim.id).values(**columns))
