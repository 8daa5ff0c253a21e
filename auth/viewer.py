"""Who is asking: read afresh from the database with every request, in one statement."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from auth.tokens import AccessClaims
from db.database import Database
from db.models.auth_session import AuthSession
from db.models.base import Key, UtcDateTime
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from domain.errors import PublicError

# Built once: a request pays for its parameters only.
_SIGNED_IN = (
    select(
        AuthSession.id.label("sign_in_id"),
        AuthSession.role,
        AuthSession.started_at,
        AuthSession.last_write_at.label("last_write_at"),
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
    .join(User, User.id == AuthSession.user_id)
    .join(Provider, Provider.id == User.provider_id)
    .join(RoleGrant, and_(RoleGrant.user_id == User.id, RoleGrant.role == AuthSession.role))
    .outerjoin(Learner, Learner.user_id == User.id)
    .where(
        AuthSession.id == bindparam("sign_in_key", type_=Key),
        AuthSession.user_id == bindparam("user_key", type_=Key),
        AuthSession.role == bindparam("role", type_=AuthSession.role.type),
        AuthSession.ended_at.is_(None),
        AuthSession.expires_at > bindparam("moment", type_=UtcDateTime),
        User.archived_at.is_(None),
    )
)


class NotSignedIn(PublicError):
    """There is no valid sign-in behind the request; the message says what to do, not why in detail."""

    code = "UNAUTHENTICATED"

    def __init__(
        self, message: str = "Sign in first: your access token is missing, has expired, or was ended."
    ) -> None:
        super().__init__(message)


class SetupRequired(PublicError):
    """The viewer has to change the password or accept the disclaimer before anything else."""

    def __init__(self, viewer: "Viewer") -> None:
        self.code = "PASSWORD_CHANGE_REQUIRED" if viewer.must_change_password else "DISCLAIMER_REQUIRED"
        first = (
            "change your password (passwordChange)"
            if viewer.must_change_password
            else ("read and accept the disclaimer (disclaimerAccept)")
        )
        super().__init__(f"Before anything else, {first}.")


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """The provider's settings that numbers hang on; the unit of tolerance and rated-from is percentage points."""

    traffic_light_tolerance: float
    rated_from_percent: float
    review_interval_weeks: int
    unit_signatures: tuple[Role, ...]
    disclaimer: str | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person in one role. `learner_key` is their own record, where the role is LEARNER."""

    user_key: int
    provider_key: int
    role: Role
    auth_session_key: int
    learner_key: int | None
    username: str
    name: str
    email: str
    last_login_at: dt.datetime | None
    must_change_password: bool
    must_accept_disclaimer: bool
    expires_at: dt.datetime
    rules: ProviderRules
    # What they read must hold what they wrote up to this moment; signing in writes too.
    last_write_at: dt.datetime | None = None

    @property
    def must_complete_setup(self) -> bool:
        """Whether a password change or the disclaimer comes first: until then a token opens nothing else."""
        return self.must_change_password or self.must_accept_disclaimer


async def read_viewer(database: Database, claims: AccessClaims) -> Viewer:
    """The viewer behind a verified access token, or NotSignedIn where the sign-in, role or account is gone."""
    row = await _signed_in(database, claims.auth_session_key, claims.user_key, claims.role, clock.now())
    if row is None:
        raise NotSignedIn
    return _viewer(row, claims.expires_at)


def _viewer(row: Row, expires_at: dt.datetime) -> Viewer:
    return Viewer(
        user_key=row.user_id,
        provider_key=row.provider_id,
        role=row.role,
        auth_session_key=row.sign_in_id,
        learner_key=row.learner_id if row.role is Role.LEARNER else None,
        username=row.username,
        name=row.name,
        email=row.email,
        last_login_at=row.last_login_at,
        must_change_password=row.must_change_password,
        must_accept_disclaimer=bool(row.disclaimer) and row.disclaimer_accepted < row.disclaimer_version,
        expires_at=expires_at,
        rules=ProviderRules(
            traffic_light_tolerance=row.traffic_light_tolerance,
            rated_from_percent=row.rated_from_percent,
            review_interval_weeks=row.review_interval_weeks,
            unit_signatures=tuple(Role(name) for name in row.unit_signatures),
            disclaimer=row.disclaimer,
        ),
        last_write_at=row.last_write_at or row.started_at,
    )


async def _signed_in(
    database: Database, auth_session_key: int, user_key: int, role: Role, moment: dt.datetime
) -> Row[Any] | None:
    """One row where the sign-in stands, the account is not archived and still holds the role; else none."""
    parameters = {"sign_in_key": auth_session_key, "user_key": user_key, "role": role, "moment": moment}
    rows = await database.rows(_SIGNED_IN, parameters, primary=True)
    return rows[0] if rows else None
