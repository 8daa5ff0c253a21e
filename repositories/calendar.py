"""The sessions of one person's calendar."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import aliased

from auth import scope
from db.database import Database
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import RoleGrant, User
from domain.enums import Role

# Of one calendar. The latest are left out.
MAX_SESSIONS = 1_000


async def provider_of_calendar(database: Database, user_key: int, nonce: str) -> int | None:
    """Returns the user's provider if the address with that nonce is the user's, and the account is not archived."""
    # unscoped: everybody who has the address may read the calendar
    statement = select(User.provider_id).where(
        User.id == user_key, User.calendar_nonce == nonce, User.archived_at.is_(None)
    )
    rows = await database.rows(statement, primary=True)
    return rows[0].provider_id if rows else None


async def own_sessions(database: Database, user_key: int, provider_key: int, since: dt.datetime) -> Sequence[Row[Any]]:
    """Returns the sessions in which a user takes part as the learner or the assessor, in roles that they still hold.

    Those of an assessor are about learners and aims that are still theirs.
    """
    learner_user, assessor = aliased(User), aliased(User)

    def holds(role: Role) -> Any:
        return select(RoleGrant.id).where(RoleGrant.user_id == user_key, RoleGrant.role == role).exists()

    as_learner = and_(Learner.user_id == user_key, holds(Role.LEARNER))
    as_assessor = and_(
        Session.assessor_id == user_key,
        holds(Role.ASSESSOR),
        scope.sees_session(Role.ASSESSOR, Session.id, Session.learner_id),
    )
    statement = (
        select(
            Session.id,
            Session.number,
            Session.type,
            Session.status,
            Session.starts_at,
            Session.ends_at,
            Session.location,
            Session.version,
            Session.assessor_id,
            learner_user.name.label("learner"),
            assessor.name.label("assessor"),
        )
        .join(Learner, Learner.id == Session.learner_id)
        .join(learner_user, learner_user.id == Learner.user_id)
        .join(assessor, assessor.id == Session.assessor_id)
        .where(Session.starts_at >= since, or_(as_learner, as_assessor))
        .order_by(Session.starts_at, Session.id)
        .limit(MAX_SESSIONS)
    )
    parameters = {"viewer_user": user_key, "viewer_provider": provider_key}
    return await database.rows(statement, parameters, primary=True)
