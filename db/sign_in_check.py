"""The one statement that every signed-in request begins with."""

import datetime as dt
from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from db.base import Key, UtcDateTime
from db.engine import Database
from db.enums import Role
from db.learner import Learner
from db.provider import Provider
from db.sign_in import SignIn
from db.user import RoleGrant, User

# Built once: a request pays for its parameters only.
_SIGNED_IN = (
    select(
        SignIn.id.label("sign_in_id"),
        SignIn.role,
        SignIn.started_at,
        SignIn.wrote_at,
        User.id.label("user_id"),
        User.provider_id,
        User.username,
        User.name,
        User.email,
        User.last_login_at,
        User.must_change_password,
        User.disclaimer_accepted,
        Learner.id.label("learner_id"),
        Provider.disclaimer,
        Provider.disclaimer_version,
        Provider.traffic_light_tolerance,
        Provider.rated_from_percent,
        Provider.review_interval_weeks,
        Provider.unit_signatures,
    )
    .join(User, User.id == SignIn.user_id)
    .join(Provider, Provider.id == User.provider_id)
    .join(RoleGrant, and_(RoleGrant.user_id == User.id, RoleGrant.role == SignIn.role))
    .outerjoin(Learner, Learner.user_id == User.id)
    .where(
        SignIn.id == bindparam("sign_in_key", type_=Key),
        SignIn.user_id == bindparam("user_key", type_=Key),
        SignIn.role == bindparam("role", type_=SignIn.role.type),
        SignIn.ended_at.is_(None),
        SignIn.expires_at > bindparam("moment", type_=UtcDateTime),
        User.archived_at.is_(None),
    )
)


async def signed_in(
    database: Database, sign_in_key: int, user_key: int, role: Role, moment: dt.datetime
) -> Row[Any] | None:
    """One row where the sign-in stands, the account is not archived and still holds the role; else none."""
    parameters = {"sign_in_key": sign_in_key, "user_key": user_key, "role": role, "moment": moment}
    rows = await database.rows(_SIGNED_IN, parameters, primary=True)
    return rows[0] if rows else None
