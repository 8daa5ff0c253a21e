"""The viewer, read from the database with every request, in one statement."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, select

from auth.tokens import AccessClaims
from db.database import Database
from db.models.access_key import AccessKey
from db.models.auth_session import AuthSession
from db.models.base import Key, UtcDateTime
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.second_factor import SecondFactor
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from domain.errors import PublicError
from domain.reviews import SOURCE, STANDARD_MONTHS, STANDARD_SIGNATURES, STANDARD_WEEKS
from domain.sentences import say

# The columns that `ProviderRules` are made of.
RULES = (
    Provider.disclaimer,
    Provider.traffic_light_tolerance,
    Provider.rated_from_percent,
    Provider.review_interval_weeks,
    Provider.review_rule_months,
    Provider.unit_signatures,
    Provider.review_signatures,
    Provider.require_second_factor,
    Provider.reminder_every_days,
)
COLUMNS = (
    User.id.label("user_id"), User.provider_id, User.username, User.name, User.email, User.last_login_at,
    User.must_change_password, User.has_password, SecondFactor.confirmed_at.label("second_factor_at"),
    SecondFactor.user_id.label("second_factor_of"), User.disclaimer_accepted, Learner.id.label("learner_id"),
    Provider.disclaimer_version, Provider.name.label("provider_name"), *RULES,
)  # fmt: skip
_MOMENT = bindparam("moment", type_=UtcDateTime)


def _viewer_by(table: Any, *columns: Any) -> Select[Any]:
    """Selects the viewer of a row of a table that names a user and a role, while both are valid."""
    return (
        select(*columns, *COLUMNS)
        .join(User, User.id == table.user_id)
        .join(Provider, Provider.id == User.provider_id)
        .join(RoleGrant, and_(RoleGrant.user_id == User.id, RoleGrant.role == table.role))
        .outerjoin(Learner, Learner.user_id == User.id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(table.expires_at > _MOMENT, User.archived_at.is_(None))
    )


# Built once, so that a request only binds parameters.
SIGNED_IN = _viewer_by(
    AuthSession,
    AuthSession.id.label("auth_session_id"),
    AuthSession.role,
    AuthSession.started_at,
    AuthSession.second_factor_met,
    AuthSession.last_write_at.label("last_write_at"),
).where(AuthSession.ended_at.is_(None))
_VIEWER = SIGNED_IN.where(
    AuthSession.id == bindparam("auth_session_key", type_=Key),
    AuthSession.user_id == bindparam("user_key", type_=Key),
    AuthSession.role == bindparam("role", type_=AuthSession.role.type),
)
_VIEWER_OF_KEY = _viewer_by(
    AccessKey,
    AccessKey.id.label("access_key_id"),
    AccessKey.role,
    AccessKey.operations,
    AccessKey.last_used_at,
    AccessKey.expires_at,
).where(AccessKey.secret_sha256 == bindparam("secret_sha256"), AccessKey.revoked_at.is_(None))

_OWN_RULE = "The provider's own setting."


class NotSignedIn(PublicError):
    """The request has no valid auth session. The message says what to do, but not why, which could help an attacker."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in first: your access token is missing, expired or revoked.") -> None:
        super().__init__(message)


class SetupRequired(PublicError):
    """The viewer has to change the password, accept the disclaimer or set up a second factor first."""

    def __init__(self, viewer: "Viewer") -> None:
        if viewer.must_change_password:
            self.code = "PASSWORD_CHANGE_REQUIRED"
        elif viewer.must_accept_disclaimer:
            self.code = "DISCLAIMER_REQUIRED"
        else:
            self.code = "SECOND_FACTOR_REQUIRED"
        super().__init__(say(self.code))


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """The provider's settings that affect what a viewer sees; tolerance and rated-from are in percentage points."""

    traffic_light_tolerance: float
    rated_from_percent: float
    review_interval_weeks: int
    unit_signatures: tuple[Role, ...]
    disclaimer: str | None
    require_second_factor: tuple[Role, ...] = ()
    # Months between formal reviews of aims that started from 1 August 2025.
    review_months: int = STANDARD_MONTHS
    # Days between two reminders of the same task; 0 for none.
    reminder_every_days: int = 0
    review_signatures: tuple[Role, ...] = tuple(Role(name) for name in STANDARD_SIGNATURES)

    @property
    def review_rule(self) -> "ReviewRuleRow":
        """Returns when a formal review is due after the last one, for aims that start now."""
        if self.review_interval_weeks != STANDARD_WEEKS:
            return ReviewRuleRow(self.review_interval_weeks, None, _OWN_RULE)
        if self.review_months != STANDARD_MONTHS:
            return ReviewRuleRow(None, self.review_months, _OWN_RULE)
        return ReviewRuleRow(None, STANDARD_MONTHS, SOURCE)


@dataclass(frozen=True, slots=True)
class ReviewRuleRow:
    """When a formal review is due: so many weeks after the last one, or by the end of a month after it."""

    every_weeks: int | None
    every_months: int | None
    source: str


@dataclass(frozen=True, slots=True)
class AccessKeyUse:
    """The access key of a request: it only reads, and only the saved queries that are named, if any are."""

    key: int
    operations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Viewer:
    """An authenticated user in one role. `learner_key` is their own record if the role is LEARNER."""

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
    # A replica is read only if it has the writes up to this time. The login is a write too.
    last_write_at: dt.datetime | None = None
    provider_name: str = ""
    has_password: bool = True
    has_second_factor: bool = False
    # It may not be confirmed yet.
    has_begun_second_factor: bool = False
    must_set_up_second_factor: bool = False
    # The learner record of the same person, also in another role, in which they may not change it.
    own_learner_key: int | None = None
    # None for a person who signed in.
    access_key: AccessKeyUse | None = None

    @property
    def must_complete_setup(self) -> bool:
        """Whether the viewer has to do one of the first steps before anything else."""
        return self.must_change_password or self.must_accept_disclaimer or self.must_set_up_second_factor


async def read_viewer(database: Database, claims: AccessClaims) -> Viewer:
    """Returns the viewer of a verified access token.

    Raises NotSignedIn if the auth session has ended, the role was revoked, or the account is archived.
    """
    parameters = {
        "auth_session_key": claims.auth_session_key,
        "user_key": claims.user_key,
        "role": claims.role,
        "moment": clock.now(),
    }
    rows = await database.rows(_VIEWER, parameters, primary=True, stand_in=True)
    if not rows:
        raise NotSignedIn
    return viewer_of_session(rows[0], claims.expires_at)


def viewer_of_session(row: Row[Any], expires_at: dt.datetime) -> Viewer:
    """Returns the viewer of a row of `SIGNED_IN`."""
    return viewer_of_row(
        row, expires_at, auth_session_key=row.auth_session_id,
        last_write_at=row.last_write_at or row.started_at,
        must_set_up_second_factor=lacks_second_factor(row) and not row.second_factor_met,
    )  # fmt: skip


async def read_viewer_of_key(database: Database, secret_sha256: str) -> tuple[Viewer, dt.datetime | None]:
    """Returns the viewer of an access key, and when it was last used.

    Raises NotSignedIn if it is unknown, revoked or expired, the role was revoked, or the account is archived.
    """
    parameters = {"secret_sha256": secret_sha256, "moment": clock.now()}
    rows = await database.rows(_VIEWER_OF_KEY, parameters, primary=True)
    if not rows:
        raise NotSignedIn("Send a valid access key: this one is unknown, expired or revoked.")
    row = rows[0]
    use = AccessKeyUse(row.access_key_id, frozenset(row.operations))
    # No login, so there is none whose writes a replica must have.
    viewer = viewer_of_row(
        row, row.expires_at, auth_session_key=0, last_write_at=None, access_key=use,
        must_set_up_second_factor=lacks_second_factor(row),
    )  # fmt: skip
    return viewer, row.last_used_at


def viewer_of_row(row: Row[Any], expires_at: dt.datetime, **values: Any) -> Viewer:
    """Returns the viewer of a row with `COLUMNS` and a role."""
    return Viewer(
        user_key=row.user_id,
        provider_key=row.provider_id,
        role=row.role,
        learner_key=row.learner_id if row.role is Role.LEARNER else None,
        username=row.username,
        name=row.name,
        email=row.email,
        last_login_at=row.last_login_at,
        # Who has chosen no password has none to change.
        must_change_password=row.must_change_password and row.has_password,
        must_accept_disclaimer=bool(row.disclaimer) and row.disclaimer_accepted < row.disclaimer_version,
        expires_at=expires_at,
        rules=_rules(row),
        provider_name=row.provider_name,
        has_password=row.has_password,
        has_second_factor=row.second_factor_at is not None,
        has_begun_second_factor=row.second_factor_of is not None,
        own_learner_key=row.learner_id,
        **values,
    )


def viewer_of(row: Row[Any], role: Role, now: dt.datetime) -> Viewer:
    """Returns a user as the viewer of what the server reads for them, in one role.

    `row` has the columns of `RULES`, the user's name, username, e-mail and keys, and the key of their learner record.
    """
    return Viewer(
        user_key=row.user_id,
        provider_key=row.provider_id,
        role=role,
        auth_session_key=0,
        learner_key=row.learner_id if role is Role.LEARNER else None,
        username=row.username,
        name=row.name,
        email=row.email,
        last_login_at=None,
        must_change_password=False,
        must_accept_disclaimer=False,
        expires_at=now,
        rules=_rules(row),
        own_learner_key=row.learner_id,
    )


def lacks_second_factor(row: Row[Any]) -> bool:
    """Returns whether the provider requires a second factor of the role, and the user has none."""
    return row.second_factor_at is None and row.role.value in row.require_second_factor


@lru_cache(maxsize=1_000)
def _roles(names: tuple[str, ...]) -> tuple[Role, ...]:
    return tuple(Role(name) for name in names)


def _rules(row: Row[Any]) -> ProviderRules:
    return ProviderRules(
        traffic_light_tolerance=row.traffic_light_tolerance,
        rated_from_percent=row.rated_from_percent,
        review_interval_weeks=row.review_interval_weeks,
        review_months=row.review_rule_months or STANDARD_MONTHS,
        unit_signatures=_roles(tuple(row.unit_signatures)),
        review_signatures=_roles(tuple(row.review_signatures)),
        disclaimer=row.disclaimer,
        require_second_factor=_roles(tuple(row.require_second_factor)),
        reminder_every_days=row.reminder_every_days,
    )
