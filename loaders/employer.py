"""Employers: by key, in pages by name, and the sites of a head office."""

from dataclasses import dataclass

from sqlalchemy import Row, Select, bindparam, func, select

from auth import scope
from db.models.base import Key, fold_name
from db.models.employer import Employer
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.pagination import Order, search_in
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList

# Bounds the list of a head office's sites, which has no pages; `employers` has.
MOST_SITES = 1000


@dataclass(slots=True)
class EmployerRow:
    """One employer: a site, or the head office that is its parent."""

    key: int
    name: str
    parent_key: int | None

    id = Identifier("Employer", "key")


def _employers(role: Role) -> Select:
    return select(Employer.id, Employer.name, Employer.parent_id).where(scope.sees_employer(role))


def _row(row: Row, _: ReadSession | None = None) -> EmployerRow:
    return EmployerRow(row.id, row.name, row.parent_id)


@cached_statement
def _by_key(role: Role) -> Select:
    return _employers(role).where(any_of(Employer.id))


@cached_statement
def _by_parent(role: Role) -> Select:
    place = func.row_number().over(partition_by=Employer.parent_id, order_by=(Employer.sort_name, Employer.id))
    sites = _employers(role).where(any_of(Employer.parent_id)).add_columns(place.label("place")).subquery()
    # unscoped: cuts a statement that is scoped
    cut = select(sites.c.id, sites.c.name, sites.c.parent_id).order_by(sites.c.parent_id, sites.c.place)
    return cut.where(sites.c.place <= bindparam("most", MOST_SITES, Key))


class EmployerLoader(OneLoader[int, EmployerRow]):
    """Employers by key."""

    async def fetch(self, keys: list[int]) -> dict[int, EmployerRow]:
        rows = await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)
        return {row.id: _row(row) for row in rows}


class SitesOfEmployerLoader(ManyLoader[int, EmployerRow]):
    """The sites of a head office, by name; the first `MOST_SITES` of them."""

    async def fetch(self, keys: list[int]) -> dict[int, list[EmployerRow]]:
        found: dict[int, list[EmployerRow]] = {}
        for row in await self.reading.rows(_by_parent(self.reading.viewer.role), keys=keys):
            found.setdefault(row.parent_id, []).append(_row(row))
        return found


EMPLOYERS: ViewerList[EmployerRow] = ViewerList(
    order=Order("employer", Employer.sort_name, Employer.id, lambda row: fold_name(row.name)),
    statement=_employers,
    row=_row,
    conditions={"search": search_in(Employer.sort_name)},
)
