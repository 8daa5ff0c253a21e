"""The roles of the viewer's login, and the sites allocated to it as an Employer Overview."""

import datetime as dt

from sqlalchemy import Select, select

from auth import scope
from db.models.employer import Employer
from db.models.user import OverviewAllocation, RoleGrant
from domain.enums import Role
from loaders.core.base import RelatedLoader
from loaders.core.read_session import ReadSession, cached_statement
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


class SitesOfOverviewLoader(RelatedLoader[EmployerRow]):
    """Loads the sites allocated to the viewer as an Employer Overview, if the role in use sees them, by user key."""

    row, parent, order = EmployerRow, OverviewAllocation.user_id, (Employer.sort_name, Employer.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            select(OverviewAllocation.user_id, *EmployerRow.columns(role))
            .join(Employer, Employer.id == OverviewAllocation.employer_id)
            .where(OverviewAllocation.user_id == scope.VIEWER_USER, scope.sees_employer(role))
        )
