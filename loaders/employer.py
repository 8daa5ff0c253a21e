"""Employers: by key, in pages by name, and the sites of a head office."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from db.cached_statement import cached_statement
from db.models.base import Key
from db.models.employer import Employer
from db.models.learner import Learner
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from domain.text import fold_name
from loaders.core.base import EntityLoader, ManyLoader
from loaders.core.filters import search
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.rows import LightRow, column, row

# Limits the list of a head office's sites, which has no pages.
MAX_SITES = 1000


@row(Employer)
class EmployerRow(LightRow):
    """An employer: a site, or the head office that is its parent."""

    key: int = column(Employer.id)
    name: str = column(Employer.name)
    parent_key: int | None = column(Employer.parent_id)

    id = Identifier("Employer", "key")


def at_employer(learner_id: Any) -> Callable[[ColumnElement[int], Role], ColumnElement[bool]]:
    """Returns the condition of a filter: records of the learners who work at an employer."""
    # unscoped: a condition in addition to the scope of its statement
    return lambda employer, role: learner_id.in_(select(Learner.id).where(Learner.employer_id == employer))


class EmployerLoader(EntityLoader[EmployerRow]):
    """Loads employers by key."""

    row = EmployerRow


@cached_statement
def _sites(role: Role) -> Select:
    position = func.row_number().over(partition_by=Employer.parent_id, order_by=(Employer.sort_name, Employer.id))
    sites = EmployerRow.statement(role, position.label("position")).where(any_of(Employer.parent_id)).subquery()
    columns = [column for column in sites.c if column is not sites.c.position]
    # unscoped: limits a statement that is scoped
    limited = select(*columns).where(sites.c.position <= bindparam("limit", MAX_SITES, Key))
    return limited.order_by(sites.c.parent_key, sites.c.position)


class SitesOfEmployerLoader(ManyLoader[int, EmployerRow]):
    """Loads the first `MAX_SITES` sites of a head office, by name."""

    keys_of = "employer"

    async def fetch(self, keys: list[int]) -> dict[int, list[EmployerRow]]:
        found: dict[int, list[EmployerRow]] = {}
        for site in await self.reading.read(EmployerRow, _sites(self.reading.viewer.role), keys=keys):
            if site.parent_key is not None:
                found.setdefault(site.parent_key, []).append(site)
        return found


EMPLOYERS = PagedList(
    EmployerRow,
    Order("employer", Employer.sort_name, Employer.id, "name", fold_name),
    filters={"search": search(Employer.sort_name)},
)
