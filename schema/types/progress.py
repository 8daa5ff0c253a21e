"""Progress: the three bars, of an aim, of a programme, or of a unit."""

from loaders.progress import ProgressRow
from loaders.unit import UnitProgressRow
from schema.field_builders import attribute
from schema.relay import value


@value(
    ProgressRow,
    "Three measures that are never mixed: time elapsed (blue), criteria with evidence mapped (orange), criteria "
    "signed off (green). Percentages are exact to one decimal; 0 where there is no criterion.",
)
class Progress:
    criteria_total: int = attribute("How many criteria there are [001: the progress map].")
    criteria_mapped: int = attribute("Criteria with evidence mapped, those signed off included [000].")
    criteria_signed_off: int = attribute("Criteria that the assessor has signed off [000].")
    duration_percent: float = attribute(
        "Blue bar [000]: days from start to today over days from start to planned end, both days counted, 0 to 100. "
        "Red once pastPlannedEnd [001]."
    )
    mapped_percent: float = attribute(
        "Orange bar [000], 0 to 100: criteriaMapped of criteriaTotal, never shorter than the green one."
    )
    signed_off_percent: float = attribute("Green bar [000], 0 to 100: criteriaSignedOff of criteriaTotal.")
    points_ahead: float = attribute(
        "mappedPercent less durationPercent, in percentage points: what the traffic light [000] compares with the "
        "provider's tolerance. Below 0 is behind; 0 criteria count as nothing mapped."
    )
    past_planned_end: bool = attribute(
        "Whether the planned end has passed with something still to finish: from the day after it, in London [001]."
    )


@value(
    UnitProgressRow,
    "The criteria of one unit, counted.",
)
class UnitProgress:
    criteria_total: int = attribute("How many criteria the unit has.")
    criteria_mapped: int = attribute("Criteria with evidence mapped, those signed off included.")
    criteria_signed_off: int = attribute("Criteria that the assessor has signed off.")
    mapped_percent: float = attribute("Orange, 0 to 100.")
    signed_off_percent: float = attribute("Green, 0 to 100.")
