"""Reads of aims within a write transaction, and what e-mails call an aim."""

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.models.aim import Aim
from db.models.base import Key
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.user import User
from domain.enums import Role
from domain.progress import ENDED
from loaders.core.read_session import cached_statement


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
        select(User.id, User.name, Qualification.title)
        .select_from(Learner)
        .join(User, User.id == Learner.user_id)
        .join(Qualification, Qualification.id == aim.qualification_id)
        .where(Learner.id == aim.learner_id)
    )
    return AimNames(*(await session.execute(statement)).one())


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
    return list(await session.scalars(_visible(viewer.role, locked), parameters))
