"""Qualifications: what an aim is measured against."""

import strawberry

from loaders.qualification import QUALIFICATIONS, QualificationRow
from loaders.unit_funnel import UnitFunnelLoader
from schema.enums import QualificationKind
from schema.field_builders import argument, attribute, connection, loaded
from schema.relay import Connection, Node, node
from schema.types.unit_funnel import UnitFunnel


@node(
    QualificationRow,
    "One version of an apprenticeship standard, a diploma or a functional skill: the units and criteria that an aim is "
    "measured against. A version never changes.",
)
class Qualification(Node):
    title: str = attribute("The title of the qualification.")
    reference: str | None = attribute(
        "Its reference, such as ST0499 for a standard or a qualification accreditation number (QAN); null if it has "
        "none."
    )
    version: str | None = attribute("The version, such as 1.3; null if it has none.")
    level: int | None = attribute("The level of difficulty, such as 3; null if it has none.")
    off_the_job_hours_minimum: int | None = attribute(
        "The minimum of off-the-job training in hours; null if it is not known."
    )
    kind: QualificationKind = attribute("What sort of qualification it is.")
    optional_units_minimum: int = attribute(
        "How many of its optional units must be chosen for a learner; 0 if all units are mandatory."
    )
    unit_count: int = attribute("The number of units.")
    criterion_count: int = attribute("The number of criteria in all units.")
    unit_funnel: list[UnitFunnel] = loaded(
        "The sign-off funnel: for each unit, in order, how many of the aims that the viewer may see have reached each "
        "step.",
        UnitFunnelLoader,
    )


@strawberry.type
class QualificationQueries:
    qualifications: Connection[Qualification] = connection(
        "The provider's qualifications, by title. Each version is an entry of its own.",
        QUALIFICATIONS,
        search=argument(str, "Part of the title to search for. Case and accents are ignored."),
    )
