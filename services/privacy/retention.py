"""Learners whose retention period has expired: their last aim ended longer ago than their provider keeps data."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.user import User
from domain.progress import ENDED


@dataclass(frozen=True, slots=True)
class ExpiredLearner:
    """A learner to erase: the day on which their last aim ended, and the day on which the retention period expired."""

    learner_key: int
    provider_key: int
    name: str
    ended_on: dt.date
    expired_on: dt.date


async def learners_past_retention(
    session: AsyncSession, today: dt.date, provider_key: int | None = None
) -> list[ExpiredLearner]:
    """The learners to erase, the longest expired first; none of a provider that has not set a retention period."""
    ended_on = func.max(func.coalesce(Aim.actual_end_date, Aim.planned_end_date))
    all_ended = func.min(case((Aim.status.in_(ENDED), 1), else_=0)) == 1
    statement = (
        select(Learner.id, Learner.provider_id, User.name, ended_on.label("ended_on"), Provider.retention_years)
        .join(User, User.id == Learner.user_id)
        .join(Provider, and_(Provider.id == Learner.provider_id, Provider.retention_years.is_not(None)))
        .join(Aim, Aim.learner_id == Learner.id)
        .where(Learner.erased_at.is_(None))
        .group_by(Learner.id, Learner.provider_id, User.name, Provider.retention_years)
        .having(all_ended)
    )
    if provider_key is not None:
        statement = statement.where(Learner.provider_id == provider_key)
    expired = []
    for row in await session.execute(statement):
        expired_on = years_after(row.ended_on, row.retention_years)
        if expired_on < today:
            expired.append(ExpiredLearner(row.id, row.provider_id, row.name, row.ended_on, expired_on))
    return sorted(expired, key=lambda learner: (learner.expired_on, learner.learner_key))


def years_after(day: dt.date, years: int) -> dt.date:
    """The same day, `years` later; 29 February becomes the 28th in a year without it."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
