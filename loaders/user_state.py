"""The state of accounts on which mutations of them depend."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Select, bindparam, func, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.base import UtcDateTime
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import RoleGrant, User
from db.sql.any_of import any_of
from domain.enums import Role, SessionStatus
from domain.progress import ENDED
from loaders.core.base import ManyLoader, OneLoader
from loaders.core.rows import LightRow, column, row


@row(User)
class UserStateRow(LightRow):
    """The state of an account."""

    key: int = column(User.id)
    archived_at: dt.datetime | None = column(User.archived_at)
    last_login_at: dt.datetime | None = column(User.last_login_at)
    must_change_password: bool = column(User.must_change_password)


@cached_statement
def _states(role: Role) -> Select:
    # unscoped: the keys come from records that the viewer sees
    return UserStateRow.select(role).where(any_of(User.id), scope.of_provider(User))


class UserStateLoader(OneLoader[int, UserStateRow]):
    """Loads the state of the accounts of users to whom visible records refer, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, UserStateRow]:
        rows = await self.reading.read(UserStateRow, _states(self.reading.viewer.role), keys=keys)
        return {row.key: row for row in rows}


@cached_statement
def _learners(role: Role) -> Select:
    return select(Learner.user_id).where(any_of(Learner.user_id), scope.sees(role, Learner))


class IsVisibleLearnerLoader(OneLoader[int, bool]):
    """Loads whether a user is a learner whom the viewer sees, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, bool]:
        found = {each.user_id for each in await self.reading.rows(_learners(self.reading.viewer.role), keys=keys)}
        return {key: key in found for key in keys}


@cached_statement
def _roles(role: Role) -> Select:
    # unscoped: the keys come from records that the viewer sees
    held = select(RoleGrant.user_id, RoleGrant.role).where(any_of(RoleGrant.user_id), scope.of_provider(RoleGrant))
    return held.order_by(RoleGrant.role)


class RolesOfUserLoader(ManyLoader[int, Role]):
    """Loads the roles of users to whom visible records refer, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, list[Role]]:
        found: dict[int, list[Role]] = {}
        for grant in await self.reading.rows(_roles(self.reading.viewer.role), keys=keys):
            found.setdefault(grant.user_id, []).append(grant.role)
        return found


@cached_statement
def _master_admins(role: Role) -> Select:
    # unscoped: only whether there are others is used
    held = select(RoleGrant.user_id).join(User, User.id == RoleGrant.user_id)
    return held.where(RoleGrant.role == Role.MASTER_ADMIN, User.archived_at.is_(None), scope.of_provider(RoleGrant))


class OtherMasterAdminLoader(OneLoader[int, bool]):
    """Loads whether somebody besides a user is a Master Admin of the provider with an active account, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, bool]:
        admins = {grant.user_id for grant in await self.reading.rows(_master_admins(self.reading.viewer.role))}
        return {key: bool(admins - {key}) for key in keys}


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What waits for a user: aims that have not ended, as assessor and as IQA, and planned sessions to come."""

    assessed_aims: int
    sampled_aims: int
    sessions: int

    @classmethod
    def of(cls, row: Any) -> Self:
        """Makes it from a row of `open_work_statement`."""
        return cls(row.assessed_aims, row.sampled_aims, row.sessions)


@cached_statement
def open_work_statement(role: Role) -> Select:
    """Selects the open work of users, by user key: it would belong to no active user if the account were archived."""
    # unscoped: numbers about an account that a Master Admin, who sees all of the provider, may archive
    open_aims = select(func.count()).select_from(Aim).where(Aim.status.not_in(ENDED))
    # unscoped: the same account
    planned = select(func.count()).where(Session.assessor_id == User.id, Session.status == SessionStatus.PLANNED)
    # unscoped: the same account
    return select(
        User.id,
        open_aims.where(Aim.assessor_id == User.id).scalar_subquery().label("assessed_aims"),
        open_aims.where(Aim.iqa_id == User.id).scalar_subquery().label("sampled_aims"),
        planned.where(Session.starts_at > bindparam("now", type_=UtcDateTime)).scalar_subquery().label("sessions"),
    ).where(any_of(User.id), scope.of_provider(User))


class OpenWorkLoader(OneLoader[int, OpenWork]):
    """Loads the open work of users, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, OpenWork]:
        statement = open_work_statement(self.reading.viewer.role)
        rows = await self.reading.rows(statement, keys=keys, now=self.reading.now)
        return {row.id: OpenWork.of(row) for row in rows}
