"""Users: people with a login."""

import datetime as dt

import strawberry

from loaders.user import USERS, ContactLoader, UserRow
from schema.enums import Role
from schema.field_builders import Search, argument, attribute, connection, loaded
from schema.relay import Connection, Node, node


@node(UserRow, "A person with a login: a learner, or someone who works for the provider or for an employer.")
class User(Node):
    name: str = attribute("The user's name.")
    email: str | None = loaded(
        "The user's e-mail address; null if the viewer may not see it.", ContactLoader, part="email", nullable=True
    )
    last_login_at: dt.datetime | None = loaded(
        "When the user last logged in; null if they never have or the viewer may not see it.",
        ContactLoader,
        part="last_login_at",
        nullable=True,
    )


@strawberry.type
class UserQueries:
    users: Connection[User] = connection(
        "The users whom the viewer may see, by name. Archived accounts are not listed.",
        USERS,
        search=Search,
        role=argument(Role, "Only users who have this role."),
    )
