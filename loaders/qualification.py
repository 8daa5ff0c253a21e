"""Qualifications, as versioned by their awarding body: by key, and in pages by title. Nobody's personal data."""

from dataclasses import dataclass

from sqlalchemy import Row, Select, select

from auth import scope
from db.models.base import fold_name
from db.models.qualification import Qualification
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.pagination import Order, search_in
from loaders.core.read_session import OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList


@dataclass(slots=True)
class QualificationRow:
    """One version of a qualification, with how much is in it."""

    key: int
    title: str
    reference: str | None
    version: str | None
    level: int | None
    off_the_job_hours_minimum: int | None
    unit_count: int
    criterion_count: int

    id = Identifier("Qualification", "key")


def _qualifications(role: Role) -> Select:
    return select(
        Qualification.id,
        Qualification.title,
        Qualification.reference,
        Qualification.version,
        Qualification.level,
        Qualification.off_the_job_hours_minimum,
        Qualification.unit_count,
        Qualification.criterion_count,
    ).where(scope.of_provider(Qualification))


def _row(row: Row, _: ReadSession | None = None) -> QualificationRow:
    return QualificationRow(*row[:8])


@cached_statement
def _by_key(role: Role) -> Select:
    return _qualifications(role).where(any_of(Qualification.id))


class QualificationLoader(OneLoader[int, QualificationRow]):
    """Qualifications by key."""

    async def fetch(self, keys: list[int]) -> dict[int, QualificationRow]:
        rows = await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)
        return {row.id: _row(row) for row in rows}


QUALIFICATIONS: ViewerList[QualificationRow] = ViewerList(
    order=Order("qualification", Qualification.sort_title, Qualification.id, lambda row: fold_name(row.title)),
    statement=_qualifications,
    row=_row,
    conditions={"search": search_in(Qualification.sort_title)},
)
