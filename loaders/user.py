"""Users: by key and in pages, their contact details, and the managers of a learner."""

import datetime as dt

from sqlalchemy import ColumnElement, Select, bindparam, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.user import ManagerAllocation, RoleGrant, User
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from domain.text import fold_name
from loaders.core.base import EntityLoader, OneLoader, RelatedLoader
from loaders.core.filters import Filter, search
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.rows import LightRow, column, row


@row(User)
class UserRow(LightRow):
    """A user by name."""

    key: int = column(User.id)
    name: str = column(User.name)

    id = Identifier("User", "key")


@row(User)
class ContactRow(LightRow):
    """The contact details of a user, which only some viewers see."""

    key: int = column(User.id)
    email: str = column(User.email)
    archived_at: dt.datetime | None = column(User.archived_at)
    last_login_at: dt.datetime | None = column(User.last_login_at)


class UserLoader(EntityLoader[UserRow]):
    """Loads users whom the viewer sees, by key."""

    row = UserRow


@cached_statement
def _named(role: Role) -> Select:
    # unscoped: the keys come from records that the viewer sees
    return UserRow.select(role).where(any_of(User.id), scope.of_provider(User))


class NamedUserLoader(OneLoader[int, UserRow]):
    """Loads users whom a visible record refers to, by key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, UserRow]:
        rows = await self.reading.read(UserRow, _named(self.reading.viewer.role), keys=keys)
        return {row.key: row for row in rows}


@cached_statement
def _contacts(role: Role) -> Select:
    return ContactRow.select(role).where(any_of(User.id), scope.sees_contact(role))


class ContactLoader(OneLoader[int, ContactRow]):
    """Loads contact details that the viewer may see, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, ContactRow]:
        rows = await self.reading.read(ContactRow, _contacts(self.reading.viewer.role), keys=keys)
        return {row.key: row for row in rows}


class ManagersOfLearnerLoader(RelatedLoader[UserRow]):
    """Loads the Employer Managers to whom a learner is allocated, by name."""

    row, parent, order = UserRow, ManagerAllocation.learner_id, (User.sort_name, User.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            select(ManagerAllocation.learner_id, *UserRow.columns(role))
            .join(User, User.id == ManagerAllocation.user_id)
            .where(
                scope.sees_learner(role, ManagerAllocation.learner_id),
                scope.of_provider(ManagerAllocation),
                User.archived_at.is_(None),
            )
        )


def _has_role(role: Role, name: str, shape: object) -> ColumnElement[bool]:
    user_keys = select(RoleGrant.user_id).where(
        RoleGrant.role == bindparam(name, type_=RoleGrant.role.type), scope.of_provider(RoleGrant)
    )
    return User.id.in_(user_keys)


# Without archived accounts, which records may still refer to.
USERS = PagedList(
    UserRow,
    Order("user", User.sort_name, User.id, "name", fold_name),
    filters={"search": search(User.sort_name), "role": Filter(_has_role)},
    condition=lambda role: User.archived_at.is_(None),
)
