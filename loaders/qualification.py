"""Qualifications: by key, and in pages by title. They contain no personal data."""

from db.models.qualification import Qualification
from domain.enums import QualificationKind
from domain.global_id import Identifier
from domain.qualification_kind import qualification_kind
from domain.text import fold_name
from loaders.core.base import EntityLoader
from loaders.core.filters import search
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.rows import LightRow, column, row


@row(Qualification)
class QualificationRow(LightRow):
    """A version of a qualification with the numbers of its units and criteria."""

    key: int = column(Qualification.id)
    title: str = column(Qualification.title)
    reference: str | None = column(Qualification.reference)
    version: str | None = column(Qualification.version)
    level: int | None = column(Qualification.level)
    kind: QualificationKind = column(Qualification.kind, convert=qualification_kind)
    optional_units_minimum: int = column(Qualification.optional_units_minimum)
    off_the_job_hours_minimum: int | None = column(Qualification.off_the_job_hours_minimum)
    unit_count: int = column(Qualification.unit_count)
    criterion_count: int = column(Qualification.criterion_count)

    id = Identifier("Qualification", "key")


class QualificationLoader(EntityLoader[QualificationRow]):
    """Loads qualifications by key."""

    row = QualificationRow


QUALIFICATIONS = PagedList(
    QualificationRow,
    Order(
        "qualification",
        Qualification.sort_title,
        Qualification.id,
        "title",
        fold_name,
    ),
    filters={"search": search(Qualification.sort_title)},
)
