"""Reads of sessions within a write transaction: who is booked at a time, and which aims a session is about."""

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

# Bounds the search for overlaps: a session that started earlier than this before a time has ended by then.
MAX_SESSION_LENGTH = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class BookedSession:
    """A planned session of the learner or the assessor. `visible`: the viewer may see more of it than its time."""

    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    learner_key: int
    learner_name: str
    visible: bool


@cached_statement
def _booked(role: Role) -> Select:
    moment = Session.starts_at.type
    # unscoped: a time is booked also where the viewer does not see the session; `visible` says whether they do
    return (
        select(
            Session.number,
            Session.starts_at,
            Session.ends_at,
            Session.learner_id,
            User.name,
            scope.sees_session(role, Session.id, Session.learner_id).label("visible"),
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
            Session.id != bindparam("excluding", type_=Key),
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
    excluding: int | None = None,
) -> list[BookedSession]:
    """Returns the planned sessions of the learner or the assessor that overlap a time, except the session `excluding`.

    Sessions that only touch do not overlap. The caller holds locks on the learner and the assessor, so that no other
    transaction books either of them before this one commits.
    """
    found = await session.execute(
        _booked(viewer.role),
        {
            **scope.viewer_params(viewer),
            "learner": learner_key,
            "assessor": assessor_key,
            "earliest": starts_at - MAX_SESSION_LENGTH,
            "starts": starts_at,
            "ends": ends_at,
            "excluding": excluding or 0,
        },
    )
    return [BookedSession(*row) for row in found]


@cached_statement
def _aims(locked: bool) -> Select[Aim]:
    # unscoped: the session was read within the viewer's scope
    statement = (
        select(Aim)
        .join(SessionAim, SessionAim.aim_id == Aim.id)
        .where(SessionAim.session_id == bindparam("session", type_=Key))
        .order_by(Aim.id)
    )
    return statement.with_for_update(of=Aim, key_share=True) if locked else statement


async def aims_of_session(session: AsyncSession, session_key: int, locked: bool = False) -> list[Aim]:
    """Returns the aims that a session is about, including those that the viewer does not see."""
    return list(await session.scalars(_aims(locked), {"session": session_key}))
