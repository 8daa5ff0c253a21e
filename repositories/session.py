"""Reads of sessions within a write transaction: who is booked at a time, and which aims a session is about."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.base import Key
from db.models.learner import Learner
from db.models.session import Session, SessionAim
from db.models.user import User
from domain.enums import Role, SessionStatus

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
            Session.learner_id.label("learner_key"),
            User.name.label("learner_name"),
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
            or_(Session.group_id.is_(None), Session.group_id != bindparam("group", type_=Key)),
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
    group: int | None = None,
) -> list[BookedSession]:
    """Returns the planned sessions of the learner or the assessor that overlap a time.

    Without the session `excluding`, and without those of the group `group`, which take place together.

    Sessions that only touch do not overlap. The caller holds locks on the learner and the assessor, so that no other
    transaction books either of them before this one commits.
    """
    found = await session.execute(
        await _booked(viewer.role),
        {
            **scope.viewer_params(viewer),
            "learner": learner_key,
            "assessor": assessor_key,
            "earliest": starts_at - MAX_SESSION_LENGTH,
            "starts": starts_at,
            "ends": ends_at,
            "excluding": excluding or 0,
            "group": group or 0,
        },
    )
    return [BookedSession(**row._mapping) for row in found]


@cached_statement
def _of_group(role: Role) -> Select[Session]:
    return (
        select(Session)
        .where(Session.group_id == bindparam("group", type_=Key), scope.sees(role, Session))
        # Locks are taken in the order of the keys.
        .order_by(Session.id)
        .with_for_update(of=Session, key_share=True)
    )


async def sessions_of_group(session: AsyncSession, viewer: Viewer, group: int) -> dict[int, Session]:
    """Returns the sessions of a group that the viewer sees, by key, locked until the transaction ends."""
    found = await session.scalars(await _of_group(viewer.role), {**scope.viewer_params(viewer), "group": group})
    return {each.id: each for each in found}


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
    return list(await session.scalars(await _aims(locked), {"session": session_key}))


async def aims_begun_by(session: AsyncSession, session_key: int) -> list[int]:
    """Returns the keys of the aims that the latest completion of an induction started, as the audit trail recorded."""
    # unscoped: the session was read within the viewer's scope
    statement = (
        select(AuditEvent.detail)
        .where(
            AuditEvent.subject_type == "Session",
            AuditEvent.subject_key == session_key,
            AuditEvent.action == "sessionComplete",
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    detail = (await session.execute(statement)).scalar_one_or_none() or {}
    return list(detail.get("begun", []))


async def planned_sessions_about(
    session: AsyncSession, aims: Sequence[Aim], assessor_key: int, now: dt.datetime
) -> list[Session]:
    """Returns the assessor's planned sessions to come that are about one of the aims, locked in order of their times.

    A session about no aim in particular is among them if its learner has no other aim with the assessor.
    """
    aim_keys, learner_keys = [aim.id for aim in aims], {aim.learner_id for aim in aims}
    # unscoped: the aims were read within the viewer's scope
    about = select(SessionAim.session_id).where(SessionAim.session_id == Session.id)
    # unscoped: whether the assessor still sees the learner
    remaining = select(Aim.id).where(
        Aim.learner_id == Session.learner_id, Aim.assessor_id == assessor_key, Aim.id.not_in(aim_keys)
    )
    # unscoped: the aims were read within the viewer's scope
    statement = (
        select(Session)
        .where(
            Session.learner_id.in_(learner_keys),
            Session.assessor_id == assessor_key,
            Session.status == SessionStatus.PLANNED,
            Session.starts_at > now,
            or_(
                about.where(SessionAim.aim_id.in_(aim_keys)).exists(),
                and_(~about.exists(), ~remaining.exists()),
            ),
        )
        .order_by(Session.starts_at, Session.id)
        .with_for_update(of=Session, key_share=True)
    )
    return list(await session.scalars(statement))
