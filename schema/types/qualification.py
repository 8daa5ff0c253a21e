"""Qualifications: what an aim is measured against."""

import strawberry

from loaders.qualification import QUALIFICATIONS, QualificationRow
from loaders.unit_funnel import UnitFunnelLoader
from schema.field_builders import Search, attribute, connection, loaded
from schema.relay import Connection, Node, node
from schema.types.unit_funnel import UnitFunnel


@node(
    QualificationRow,
    "A standard, diploma or functional skill in one version of its awarding body's, which never changes: what an aim "
    "is measured against.",
)
class Qualification(Node):
    title: str = attribute("The qualification's title.")
    reference: str | None = attribute("The awarding body's reference, such as ST0499 or a QAN; null if it has none.")
    version: str | None = attribute("The version, such as 1.3; null if it has none.")
    level: int | None = attribute("The level of difficulty, such as 3; null if it has none.")
    off_the_job_hours_minimum: int | None = attribute(
        "The least hours of training off the job that it asks for; null where none is known."
    )
    unit_count: int = attribute("How many units it has.")
    criterion_count: int = attribute("How many criteria its units have together.")
    unit_funnel: list[UnitFunnel] = loaded(
        "The sign-off funnel: its units in order, with how many of the aims that the viewer sees have come how far.",
        UnitFunnelLoader,
    )


@strawberry.type
class QualificationQueries:
    qualifications: Connection[Qualification] = connection(
        "The provider's qualifications, by title; each version is one.", QUALIFICATIONS, search=Search
    )
