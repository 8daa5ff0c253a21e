"""Users: people with a login."""

import datetime as dt

import strawberry

from loaders.user import USERS, ContactLoader, UserRow
from schema.enums import Role
from schema.field_builders import Info, Search, argument, attribute, connection
from schema.relay import Connection, Node, node


@node(UserRow, "A person with a login: a learner, somebody of the provider, or somebody of an employer.")
class User(Node):
    name: str = attribute("The person's name.")

    @strawberry.field(description="Their e-mail; null unless the viewer may see it.")
    async def email(root: UserRow, info: Info) -> str | None:
        contact = await info.context.loaders[ContactLoader].load(root.key)
        return contact and contact.email

    @strawberry.field(description="When they last signed in; null unless the viewer may see it, or if they never did.")
    async def last_login_at(root: UserRow, info: Info) -> dt.datetime | None:
        contact = await info.context.loaders[ContactLoader].load(root.key)
        return contact and contact.last_login_at


@strawberry.type
class UserQueries:
    users: Connection[User] = connection(
        "The people whom the viewer may see, by name; archived accounts are left out.",
        USERS,
        search=Search,
        role=argument(Role, "Those who hold this role."),
    )
