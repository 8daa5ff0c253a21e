"""Off-the-job time against what the standard requires."""

from loaders.off_the_job import OffTheJobRow
from schema.field_builders import attribute
from schema.relay import value


@value(
    OffTheJobRow,
    "Training away from the day's work, which every standard asks for: minutes required, expected by now, "
    "and logged. Withdrawn aims require nothing.",
)
class OffTheJob:
    required_minutes: int = attribute(
        "The sum over the aims of the qualification's offTheJobHoursMinimum, in minutes [ST0499]; 0 where none is "
        "known."
    )
    expected_minutes: int = attribute(
        "What should be there by now: the sum over the aims of required x days elapsed / days planned, both days "
        "counted, never below 0 or above required [000: the blue bar's rule]."
    )
    actual_minutes: int = attribute(
        "All OFF_THE_JOB entries of the time log that the viewer may see: automatic, approved and unapproved "
        "ones [001]."
    )
    actual_percent: float = attribute("actual / required, 0 to 100, to one decimal [001]; 0 where nothing is required.")
