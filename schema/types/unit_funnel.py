"""The sign-off funnel: how many learners have come how far in each unit of a qualification."""

import strawberry

from schema.field_builders import attribute


@strawberry.type(
    description="One unit of a qualification, and how many of the aims that the viewer sees have come how far in it. "
    "Withdrawn aims count nowhere."
)
class UnitFunnel:
    number: str = attribute("Its number, as the awarding body gives it.")
    title: str = attribute("Its title.")
    mandatory: bool = attribute("Whether everyone who takes the qualification takes it [001: its units].")
    criterion_count: int = attribute("How many criteria it has [001].")
    aim_count: int = attribute("Aims in the qualification: each has the unit before it or behind it [001].")
    started_count: int = attribute("Those with evidence mapped to at least one criterion of the unit (orange [001]).")
    mapped_count: int = attribute("Those with evidence mapped to every criterion of it [000].")
    complete_count: int = attribute("Those with every criterion of it signed off: the unit is green [000].")
    signed_off_count: int = attribute(
        "Those for whom it is complete and has every signature that the provider requires, given and not taken back "
        "[000]."
    )
