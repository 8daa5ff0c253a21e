"""Reads of aims within a write transaction, and what e-mails call an aim."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.base import Key
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.user import User
from domain.enums import Role
from domain.progress import ENDED


@dataclass(frozen=True, slots=True)
class AimNames:
    """What an e-mail about an aim names: the learner, by user key and name, and the aim's title."""

    learner_user_key: int
    learner: str
    title: str


async def aim_names(session: AsyncSession, aim: Aim) -> AimNames:
    """Returns the learner's name and the aim's title."""
    # unscoped: the aim was read within the viewer's scope
    statement = (
        select(User.id.label("learner_user_key"), User.name.label("learner"), Qualification.title)
        .select_from(Learner)
        .join(User, User.id == Learner.user_id)
        .join(Qualification, Qualification.id == aim.qualification_id)
        .where(Learner.id == aim.learner_id)
    )
    return AimNames(**(await session.execute(statement)).one()._mapping)


async def has_open_aim(
    session: AsyncSession, learner_key: int, qualification_key: int, excluding: int | None = None
) -> bool:
    """Returns whether the learner has another aim in that qualification version that has not ended."""
    # unscoped: the learner was read within the viewer's scope, and another assessor's aim counts too
    found = await session.scalars(
        select(Aim.id).where(
            Aim.learner_id == learner_key, Aim.qualification_id == qualification_key, Aim.status.not_in(ENDED)
        )
    )
    return any(key != excluding for key in found)


@cached_statement
def _visible(role: Role, locked: bool) -> Select[Aim]:
    statement = (
        select(Aim).where(Aim.learner_id == bindparam("learner", type_=Key), scope.sees_aim(role)).order_by(Aim.id)
    )
    return statement.with_for_update(of=Aim, key_share=True) if locked else statement


async def visible_aims(session: AsyncSession, viewer: Viewer, learner_key: int, locked: bool = False) -> list[Aim]:
    """Returns the learner's aims that the viewer sees, in the order in which they were added."""
    parameters = {**scope.viewer_params(viewer), "learner": learner_key}
    return list(await session.scalars(await _visible(viewer.role, locked), parameters))


async def aims_by_key(session: AsyncSession, keys: Collection[int]) -> list[Aim]:
    """Returns aims, locked in the order of their keys."""
    if not keys:
        return []
    # unscoped: the keys come from a record that was read within the viewer's scope
    statement = select(Aim).where(Aim.id.in_(keys)).order_by(Aim.id).with_for_update(of=Aim, key_share=True)
    return list(await session.scalars(statement))


async def aims_of_assessor(session: AsyncSession, provider_key: int, assessor_key: int) -> list[Aim]:
    """Returns every aim of an assessor, locked in the order of their keys."""
    # unscoped: an admin, who sees all aims of the provider, hands them over
    statement = select(Aim).where(Aim.provider_id == provider_key, Aim.assessor_id == assessor_key).order_by(Aim.id)
    return list(await session.scalars(statement.with_for_update(of=Aim, key_share=True)))


@dataclass(frozen=True, slots=True)
class AimPerson:
    """An aim's title, and its learner as the recipient of an e-mail."""

    learner_key: int
    name: str
    email: str
    archived_at: dt.datetime | None
    title: str


async def people_of_aims(session: AsyncSession, keys: Collection[int]) -> list[AimPerson]:
    """Returns the learners of aims, by name, once for each aim."""
    # unscoped: the aims were read within the viewer's scope
    statement = (
        select(Learner.id.label("learner_key"), User.name, User.email, User.archived_at, Qualification.title)
        .select_from(Aim)
        .join(Learner, Learner.id == Aim.learner_id)
        .join(User, User.id == Learner.user_id)
        .join(Qualification, Qualification.id == Aim.qualification_id)
        .where(Aim.id.in_(keys))
        .order_by(User.sort_name, Learner.id, Aim.id)
    )
    return [AimPerson(**row._mapping) for row in await session.execute(statement)]


async def first_start_of(session: AsyncSession, learner_key: int) -> dt.date | None:
    """Returns the first day of the learner's programme, over all aims; None without an aim."""
    # unscoped: the learner was read within the viewer's scope, and another assessor's aim counts too
    statement = select(func.min(Aim.start_date)).where(Aim.learner_id == learner_key)
    return (await session.execute(statement)).scalar_one_or_none()
