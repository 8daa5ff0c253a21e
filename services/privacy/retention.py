"""Whose time is over: learners whose last aim ended longer ago than their provider keeps personal data."""

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
class Due:
    """A learner to erase: when their last aim ended, and since when they are due."""

    learner_key: int
    provider_key: int
    name: str
    ended: dt.date
    since: dt.date


async def learners_past_retention(session: AsyncSession, today: dt.date, provider_key: int | None = None) -> list[Due]:
    """Those to erase, the longest due first; none of a provider that has not set for how many years it keeps them."""
    ended = func.max(func.coalesce(Aim.actual_end_date, Aim.planned_end_date))
    all_ended = func.min(case((Aim.status.in_(ENDED), 1), else_=0)) == 1
    over = (
        select(Learner.id, Learner.provider_id, User.name, ended.label("ended"), Provider.retention_years)
        .join(User, User.id == Learner.user_id)
        .join(Provider, and_(Provider.id == Learner.provider_id, Provider.retention_years.is_not(None)))
        .join(Aim, Aim.learner_id == Learner.id)
        .where(Learner.erased_at.is_(None))
        .group_by(Learner.id, Learner.provider_id, User.name, Provider.retention_years)
        .having(all_ended)
    )
    if provider_key is not None:
        over = over.where(Learner.provider_id == provider_key)
    found = []
    for key, provider, name, day, years in await session.execute(over):
        since = years_after(day, years)
        if since < today:
            found.append(Due(key, provider, name, day, since))
    return sorted(found, key=lambda due: (due.since, due.learner_key))


def years_after(day: dt.date, years: int) -> dt.date:
    """The same day so many years later; 29 February becomes 28."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
