"""People: their names, and the contact details of those whose the viewer may see."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, bindparam, select

from auth import scope
from db.models.base import fold_name
from db.models.user import ManagerAllocation, RoleGrant, User
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.pagination import Order, search_in
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList


@dataclass(slots=True)
class UserRow:
    """A person by name, as the records that they took part in show them."""

    key: int
    name: str

    id = Identifier("User", "key")


@dataclass(slots=True)
class ContactRow:
    """What only some may see of a person."""

    email: str
    last_login_at: dt.datetime | None


def user_or_none(key: int | None, name: str | None) -> UserRow | None:
    """From two columns of an outer join."""
    return None if key is None else UserRow(key, name or "")


@cached_statement
def _named(role: Role) -> Select:
    # unscoped: reached through records that the viewer sees, which name who took part in them
    return select(User.id, User.name).where(any_of(User.id), scope.of_provider(User))


@cached_statement
def _seen(role: Role) -> Select:
    return select(User.id, User.name).where(any_of(User.id), scope.sees_user(role))


@cached_statement
def _contacts(role: Role) -> Select:
    return select(User.id, User.email, User.last_login_at).where(any_of(User.id), scope.sees_contact(role))


class NamedUserLoader(OneLoader[int, UserRow]):
    """People named by records that the viewer sees, by key."""

    async def fetch(self, keys: list[int]) -> dict[int, UserRow]:
        rows = await self.reading.rows(_named(self.reading.viewer.role), keys=keys)
        return {row.id: UserRow(row.id, row.name) for row in rows}


class UserLoader(OneLoader[int, UserRow]):
    """People whom the viewer sees, by key: for `node`."""

    async def fetch(self, keys: list[int]) -> dict[int, UserRow]:
        rows = await self.reading.rows(_seen(self.reading.viewer.role), keys=keys)
        return {row.id: UserRow(row.id, row.name) for row in rows}


class ContactLoader(OneLoader[int, ContactRow]):
    """E-mail and last login of those whose the viewer may see, by user key."""

    async def fetch(self, keys: list[int]) -> dict[int, ContactRow]:
        rows = await self.reading.rows(_contacts(self.reading.viewer.role), keys=keys)
        return {row.id: ContactRow(row.email, row.last_login_at) for row in rows}


@cached_statement
def _managers(role: Role) -> Select:
    return (
        select(ManagerAllocation.learner_id, User.id, User.name)
        .join(User, User.id == ManagerAllocation.user_id)
        .where(
            any_of(ManagerAllocation.learner_id),
            scope.sees_learner(role, ManagerAllocation.learner_id),
            scope.of_provider(ManagerAllocation),
            User.archived_at.is_(None),
        )
        .order_by(User.sort_name, User.id)
    )


class ManagersOfLearnerLoader(ManyLoader[int, UserRow]):
    """The Employer Managers to whom a learner is allocated, by name."""

    async def fetch(self, keys: list[int]) -> dict[int, list[UserRow]]:
        found: dict[int, list[UserRow]] = {}
        for learner, *user in await self.reading.rows(_managers(self.reading.viewer.role), keys=keys):
            found.setdefault(learner, []).append(UserRow(*user))
        return found


def _people(role: Role) -> Select:
    return select(User.id, User.name).where(scope.sees_user(role), User.archived_at.is_(None))


def _row(row: Row, _: ReadSession | None = None) -> UserRow:
    return UserRow(row.id, row.name)


def _has_role() -> ColumnElement[bool]:
    holders = select(RoleGrant.user_id).where(
        RoleGrant.role == bindparam("role", type_=RoleGrant.role.type), scope.of_provider(RoleGrant)
    )
    return User.id.in_(holders)


# Whose account is archived is still named by the records that they took part in, but is no one to look for.
USERS: ViewerList[UserRow] = ViewerList(
    order=Order("user", User.sort_name, User.id, lambda row: fold_name(row.name)),
    statement=_people,
    row=_row,
    conditions={"search": search_in(User.sort_name), "role": _has_role()},
)
