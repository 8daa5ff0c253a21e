"""The hours that aims require, and the minutes that count: stored, in the transaction that changes what they follow."""

from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim, AimProgress
from db.models.off_the_job_policy import OffTheJobPolicy
from db.models.qualification import Qualification
from db.models.time_log_entry import TimeLogEntry
from db.sql.off_the_job import exclusion_of_entries
from domain.enums import QualificationKind
from domain.off_the_job import planned_minutes, required_minutes
from domain.qualification_kind import qualification_kind


async def recount_time(session: AsyncSession, entries: ColumnElement[bool]) -> bool:
    """Stores again why the minutes of these entries do not count. Returns whether that changed for any."""
    exclusion = exclusion_of_entries()
    changed = TimeLogEntry.exclusion.is_distinct_from(exclusion)
    # unscoped: the caller says which entries
    statement = update(TimeLogEntry).where(entries, changed).values(exclusion=exclusion)
    result: Any = await session.execute(statement.execution_options(synchronize_session=False))
    return bool(result.rowcount)


async def recount_hours(session: AsyncSession, aim: Aim) -> None:
    """Stores the minutes that an aim requires, by the policy of its original start date, less prior learning."""
    qualification = await session.get_one(Qualification, aim.qualification_id)
    policy = await policy_of(session, aim, qualification)
    columns = hours_columns(aim, qualification, policy)
    await session.execute(update(AimProgress).where(AimProgress.aim_id == aim.id).values(**columns))


def hours_columns(aim: Any, qualification: Qualification, policy: OffTheJobPolicy | None) -> dict[str, Any]:
    """Returns the columns of `aim_progress` about hours. Without a policy the qualification's minimum holds."""
    minimum = policy.minimum_hours if policy else qualification.off_the_job_hours_minimum or 0
    floor = policy.floor_hours if policy else 0
    if qualification_kind(qualification.kind) is QualificationKind.FUNCTIONAL_SKILL:
        minimum = floor = 0
    prior = aim.prior_learning_minutes or 0
    return {
        "required_minutes": required_minutes(minimum, floor, prior),
        "planned_minutes": planned_minutes(aim.planned_minutes, floor, prior),
        "policy_id": policy.id if policy else None,
    }


async def policy_of(session: AsyncSession, aim: Aim, qualification: Qualification) -> OffTheJobPolicy | None:
    """Returns the policy for an aim: the latest one up to its original start, its standard's own before a general one.

    None for English and mathematics, and where no policy applies. A general one applies to standards only.
    """
    kind = qualification_kind(qualification.kind)
    if kind is QualificationKind.FUNCTIONAL_SKILL:
        return None
    applies = OffTheJobPolicy.reference == qualification.reference
    if kind is QualificationKind.STANDARD:
        applies = or_(applies, OffTheJobPolicy.reference.is_(None))
    statement = (
        select(OffTheJobPolicy)
        .where(
            OffTheJobPolicy.provider_id == aim.provider_id,
            OffTheJobPolicy.starts_from <= (aim.original_start_date or aim.start_date),
            applies,
        )
        .order_by(OffTheJobPolicy.reference.is_(None), OffTheJobPolicy.starts_from.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).first()
