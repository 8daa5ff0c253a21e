"""What the viewer's login holds: its role grants, and the sites that an Employer Overview grant reaches."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, select

from auth import scope
from db.models.employer import Employer
from db.models.user import OverviewAllocation, RoleGrant
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.read_session import ManyLoader, ReadSession, cached_statement
from loaders.employer import EmployerRow


@dataclass(slots=True)
class RoleGrantRow:
    """One role that a login holds."""

    user_key: int
    role: Role
    granted_by_key: int | None
    granted_at: dt.datetime


@cached_statement
def _grants(role: Role) -> Select:
    grants = select(RoleGrant.user_id, RoleGrant.role, RoleGrant.granted_by_id, RoleGrant.granted_at)
    return grants.where(RoleGrant.user_id == scope.VIEWER_USER, scope.of_provider(RoleGrant)).order_by(RoleGrant.id)


@cached_statement
def _sites(role: Role) -> Select:
    return (
        select(OverviewAllocation.user_id, Employer.id, Employer.name, Employer.parent_id)
        .join(Employer, Employer.id == OverviewAllocation.employer_id)
        .where(
            any_of(OverviewAllocation.user_id),
            OverviewAllocation.user_id == scope.VIEWER_USER,
            scope.sees_employer(role),
        )
        .order_by(Employer.sort_name, Employer.id)
    )


async def own_grants(reading: ReadSession) -> list[RoleGrantRow]:
    """The viewer's own, in the order in which they were given."""
    return [RoleGrantRow(*row) for row in await reading.rows(_grants(reading.viewer.role))]


class SitesOfOverviewLoader(ManyLoader[int, EmployerRow]):
    """The sites allocated to the viewer as an Employer Overview that the role in use sees; by the viewer's user key."""

    async def fetch(self, keys: list[int]) -> dict[int, list[EmployerRow]]:
        found: dict[int, list[EmployerRow]] = {}
        for user_key, *employer in await self.reading.rows(_sites(self.reading.viewer.role), keys=keys):
            found.setdefault(user_key, []).append(EmployerRow(*employer))
        return found
