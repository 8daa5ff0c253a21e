"""Role grants: the roles of a login."""

import datetime as dt
from typing import Any

import strawberry

from domain import enums
from loaders.core.registry import Loaders
from loaders.role_grant import RoleGrantRow, SitesOfOverviewLoader
from schema.enums import Role
from schema.field_builders import attribute, person, related
from schema.types.employer import Employer
from schema.types.user import User


def _sites(row: RoleGrantRow, loaders: Loaders) -> Any:
    return loaders[SitesOfOverviewLoader].load(row.user_key) if row.role is enums.Role.EMPLOYER_OVERVIEW else []


@strawberry.type(description="A role that a login has. `roleSwitch` changes to another role of the same login.")
class RoleGrant:
    role: Role = attribute("The role.")
    granted_by: User | None = person(
        "The user who granted it; null if it was created with the installation.", "granted_by_key"
    )
    granted_at: dt.datetime = attribute("When it was granted.")
    employers: list[Employer] = related(
        "For `EMPLOYER_OVERVIEW`, the sites allocated to the user, of those that the role in use may see; empty for "
        "every other role.",
        _sites,
        reads=("user_key", "role"),
    )
