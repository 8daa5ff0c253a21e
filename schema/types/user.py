"""Users: people with a login."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.core.registry import Loaders
from loaders.file import PhotoOfUserLoader
from loaders.learner import LEARNERS_OF_MANAGER
from loaders.role_grant import GrantsOfUserLoader, RoleGrantRow
from loaders.user import USERS, ContactLoader, UserRow
from schema.enums import Role
from schema.field_builders import Search, argument, attribute, connection, loaded, related
from schema.relay import Connection, Node, node
from schema.types.figures import ASSESSOR_WORKLOAD, AssessorWorkload
from schema.types.file import File
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.learner import Learner
    from schema.types.role_grant import RoleGrant


async def _grants(row: UserRow, loaders: Loaders) -> list[RoleGrantRow] | None:
    visible = await loaders[ContactLoader].load(row.key)
    return None if visible is None else await loaders[GrantsOfUserLoader].load(row.key)


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
    archived_at: dt.datetime | None = loaded(
        "When the account was archived, so that nobody can log in to it; null if it is in use or the viewer may not "
        "see it.",
        ContactLoader,
        part="archived_at",
        nullable=True,
    )
    grants: list[Annotated["RoleGrant", strawberry.lazy("schema.types.role_grant")]] | None = related(
        "The roles of the login, oldest first; null if the viewer may not see them. Who sees the e-mail address sees "
        "the roles.",
        _grants,
        reads=("key",),
    )
    learners: Connection[Annotated["Learner", strawberry.lazy("schema.types.learner")]] = connection(
        "The learners allocated to the user as an Employer Manager, of those whom the viewer may see, by name.",
        LEARNERS_OF_MANAGER,
        owner="manager",
    )
    photo: File | None = loaded(
        "A photo of the user, if they are a learner whom the viewer may see; else null.", PhotoOfUserLoader
    )
    assessor_workload: AssessorWorkload = ASSESSOR_WORKLOAD
    viewer_actions: list[ViewerAction] = viewer_actions("User")


@strawberry.type
class UserQueries:
    users: Connection[User] = connection(
        "The users whom the viewer may see, by name. Archived accounts are not listed.",
        USERS,
        search=Search,
        role=argument(Role, "Only users who have this role."),
    )
