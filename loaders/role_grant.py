"""The roles of logins, and the sites allocated to them as an Employer Overview."""

import datetime as dt

from sqlalchemy import Select, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.employer import Employer
from db.models.user import OverviewAllocation, RoleGrant, User
from domain.enums import Role
from loaders.core.base import RelatedLoader
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, row
from loaders.employer import EmployerRow


@row(RoleGrant)
class RoleGrantRow(LightRow):
    """A role of a login."""

    user_key: int = column(RoleGrant.user_id)
    role: Role = column(RoleGrant.role)
    granted_by_key: int | None = column(RoleGrant.granted_by_id)
    granted_at: dt.datetime = column(RoleGrant.granted_at)


@cached_statement
def _own(role: Role) -> Select:
    # unscoped: the viewer's own grants
    grants = RoleGrantRow.select(role).where(RoleGrant.user_id == scope.VIEWER_USER, scope.of_provider(RoleGrant))
    return grants.order_by(RoleGrant.id)


async def own_grants(reading: ReadSession) -> list[RoleGrantRow]:
    """Returns the viewer's grants, oldest first."""
    return await reading.read(RoleGrantRow, _own(reading.viewer.role))


class GrantsOfUserLoader(RelatedLoader[RoleGrantRow]):
    """Loads the roles of users whose contact details the viewer sees, oldest first, by user key."""

    row, parent, order = RoleGrantRow, RoleGrant.user_id, (RoleGrant.id,)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            select(RoleGrant.user_id, *RoleGrantRow.columns(role))
            .join(User, User.id == RoleGrant.user_id)
            .where(scope.sees_contact(role), scope.of_provider(RoleGrant))
        )


class SitesOfOverviewLoader(RelatedLoader[EmployerRow]):
    """Loads the sites allocated to an Employer Overview, of those that the viewer sees, by user key."""

    row, parent, order = EmployerRow, OverviewAllocation.user_id, (Employer.sort_name, Employer.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            select(OverviewAllocation.user_id, *EmployerRow.columns(role))
            .join(Employer, Employer.id == OverviewAllocation.employer_id)
            .where(scope.sees_employer(role), scope.of_provider(OverviewAllocation))
        )
