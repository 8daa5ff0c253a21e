"""Progress in an aim, in a programme or in a unit."""

from loaders.progress import ProgressRow
from loaders.unit_progress import UnitProgressRow
from schema.field_builders import attribute
from schema.relay import value


@value(
    ProgressRow,
    "Progress in three separate measures: time elapsed (blue bar), criteria with evidence mapped (orange bar), "
    "criteria signed off (green bar). Percentages have one decimal: 100.0 only where nothing is missing, 0.0 only "
    "where there is nothing. Those of criteria are 0 if there are no criteria.",
)
class Progress:
    criteria_total: int = attribute(
        "The number of criteria of the units that count: mandatory ones, and the optional ones chosen for the learner."
    )
    criteria_mapped: int = attribute("Criteria with evidence mapped to them, including those signed off.")
    criteria_signed_off: int = attribute("Criteria that the assessor has signed off.")
    duration_percent: float = attribute(
        "Blue bar: days from the start to today as a percentage of the days from the start to the planned end, 0 to "
        "100. First and last day are included, days of breaks in learning left out of both. The bar turns red if "
        "`pastPlannedEnd` is true."
    )
    mapped_percent: float = attribute(
        "Orange bar: `criteriaMapped` as a percentage of `criteriaTotal`, 0 to 100. Never below `signedOffPercent`."
    )
    signed_off_percent: float = attribute(
        "Green bar: `criteriaSignedOff` as a percentage of `criteriaTotal`, 0 to 100."
    )
    points_ahead: float = attribute(
        "`mappedPercent` minus `durationPercent` in percentage points; negative if the learner is behind. The traffic "
        "light compares it with the provider's tolerance."
    )
    days_on_break: int = attribute(
        "Whole days of breaks in learning that are left out of `durationPercent`, up to today or the planned end. Of "
        "several aims: for a learner the days on which every aim is on a break, for KPIs the sum over the aims."
    )
    past_planned_end: bool = attribute(
        "Whether the planned end has passed, in London, with something unfinished; false on the day of the planned "
        "end, and while the aim is suspended."
    )


@value(UnitProgressRow, "Progress in one unit: how many of its criteria are mapped and signed off.")
class UnitProgress:
    criteria_total: int = attribute("The number of criteria of the unit.")
    criteria_mapped: int = attribute("Criteria with evidence mapped to them, including those signed off.")
    criteria_signed_off: int = attribute("Criteria that the assessor has signed off.")
    mapped_percent: float = attribute("Orange: `criteriaMapped` as a percentage of `criteriaTotal`, 0 to 100.")
    signed_off_percent: float = attribute("Green: `criteriaSignedOff` as a percentage of `criteriaTotal`, 0 to 100.")
