"""The sign-off funnel of a qualification."""

import strawberry

from schema.field_builders import attribute


@strawberry.type(
    description="One unit of a qualification, and how many aims have reached each step towards its sign-off. Counts "
    "the aims that the viewer may see, without withdrawn ones."
)
class UnitFunnel:
    number: str = attribute("The number of the unit in the qualification, such as 7 or 7a.")
    title: str = attribute("The title of the unit.")
    mandatory: bool = attribute("Whether all learners who take the qualification must take the unit.")
    criterion_count: int = attribute("The number of criteria of the unit.")
    aim_count: int = attribute(
        "Aims that the unit counts for: those in the qualification, if it is optional those that chose it."
    )
    started_count: int = attribute("Aims with evidence mapped to at least one criterion of the unit (orange).")
    mapped_count: int = attribute("Aims with evidence mapped to every criterion of the unit.")
    complete_count: int = attribute("Aims in which every criterion of the unit is signed off (green).")
    signed_off_count: int = attribute(
        "Aims in which every criterion of the unit is signed off and all roles that the provider requires have signed "
        "the unit. Withdrawn signatures do not count."
    )
