"""What booking and completing a session reads in its transaction: who is booked when, and the aims it is about."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.models.aim import Aim
from db.models.base import Key
from db.models.learner import Learner
from db.models.session import Session, SessionAim
from db.models.user import User
from domain.enums import Role, SessionStatus
from loaders.core.read_session import cached_statement

# No session is longer: what began earlier than this before a moment is over by then.
LONGEST_SESSION = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class BookedSession:
    """A planned session that takes up somebody's time; `seen`: the viewer may be told more of it than that."""

    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    learner_key: int
    learner_name: str
    seen: bool


@cached_statement
def _booked(role: Role) -> Select:
    moment = Session.starts_at.type
    # unscoped: time that is taken is taken, whoever sees what for; `seen` says whether the viewer may know more
    return (
        select(
            Session.number,
            Session.starts_at,
            Session.ends_at,
            Session.learner_id,
            User.name,
            scope.sees_session(role, Session.id, Session.learner_id).label("seen"),
        )
        .join(Learner, Learner.id == Session.learner_id)
        .join(User, User.id == Learner.user_id)
        .where(
            or_(
                Session.learner_id == bindparam("learner", type_=Key),
                Session.assessor_id == bindparam("assessor", type_=Key),
            ),
            Session.status == SessionStatus.PLANNED,
            Session.starts_at > bindparam("earliest", type_=moment),
            Session.starts_at < bindparam("ends", type_=moment),
            Session.ends_at > bindparam("starts", type_=moment),
            Session.id != bindparam("but", type_=Key),
        )
        .order_by(Session.starts_at, Session.id)
    )


async def booked_between(
    session: AsyncSession,
    viewer: Viewer,
    learner_key: int,
    assessor_key: int,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    but: int | None = None,
) -> list[BookedSession]:
    """The planned sessions of the learner or of the assessor that overlap a time, except the session `but`.

    Sessions that only touch do not overlap. Ask with the learner's and the assessor's rows locked: then nobody books
    between the asking and the commit.
    """
    found = await session.execute(
        _booked(viewer.role),
        {
            **scope.viewer_params(viewer),
            "learner": learner_key,
            "assessor": assessor_key,
            "earliest": starts_at - LONGEST_SESSION,
            "starts": starts_at,
            "ends": ends_at,
            "but": but or 0,
        },
    )
    return [BookedSession(*row) for row in found]


@cached_statement
def _seen_aims(role: Role, locked: bool) -> Select:
    statement = (
        select(Aim).where(Aim.learner_id == bindparam("learner", type_=Key), scope.sees_aim(role)).order_by(Aim.id)
    )
    return statement.with_for_update(of=Aim, key_share=True) if locked else statement


async def visible_aims(session: AsyncSession, viewer: Viewer, learner_key: int, locked: bool = False) -> list[Aim]:
    """The learner's aims that the viewer sees, in the order in which they were added."""
    statement = _seen_aims(viewer.role, locked)
    return list(await session.scalars(statement, {**scope.viewer_params(viewer), "learner": learner_key}))


@cached_statement
def _aims_of_session(locked: bool) -> Select:
    # unscoped: of a session that was read within scope
    statement = (
        select(Aim)
        .join(SessionAim, SessionAim.aim_id == Aim.id)
        .where(SessionAim.session_id == bindparam("session", type_=Key))
        .order_by(Aim.id)
    )
    return statement.with_for_update(of=Aim, key_share=True) if locked else statement


async def aims_of_session(session: AsyncSession, session_key: int, locked: bool = False) -> list[Aim]:
    """The aims that a session is about, those included that the viewer does not see."""
    return list(await session.scalars(_aims_of_session(locked), {"session": session_key}))
