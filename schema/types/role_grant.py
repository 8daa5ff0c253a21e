"""Role grants: what a login may act as."""

import datetime as dt

import strawberry

from domain.enums import Role as Roles
from loaders.role_grant import RoleGrantRow, SitesOfOverviewLoader
from schema.enums import Role
from schema.field_builders import attribute, person, related
from schema.types.employer import Employer
from schema.types.user import User


def _sites(row: RoleGrantRow, load):
    return load[SitesOfOverviewLoader].load(row.user_key) if row.role is Roles.EMPLOYER_OVERVIEW else []


@strawberry.type(description="A role that a login holds; `roleSwitch` changes to it.")
class RoleGrant:
    role: Role = attribute("The role.")
    granted_by: User | None = person("Who gave it; null for what the installation came with.", "granted_by_key")
    granted_at: dt.datetime = attribute("When it was given.")
    employers: list[Employer] = related(
        "The sites that an EMPLOYER_OVERVIEW grant reaches, of those that the role in use may see; empty for every "
        "other role.",
        _sites,
    )
