"""Off-the-job training compared with what the qualifications require."""

from loaders.off_the_job import OffTheJobRow
from schema.field_builders import attribute
from schema.relay import value


@value(
    OffTheJobRow,
    "Off-the-job training: learning in paid hours away from the usual work, of which each apprenticeship standard "
    "requires a minimum. Compares the minutes required, expected by today, and logged. Withdrawn aims require none.",
)
class OffTheJob:
    required_minutes: int = attribute(
        "Minutes that the aims require: the sum of `Qualification.offTheJobHoursMinimum` in minutes; 0 if no minimum "
        "is known."
    )
    expected_minutes: int = attribute(
        "Minutes that should be logged by today: the sum over the aims of required minutes x days elapsed / days "
        "planned. First and last day are included; an aim's value is never below 0 or above its required minutes."
    )
    actual_minutes: int = attribute(
        "Minutes of all `OFF_THE_JOB` time log entries that the viewer may see, whether automatic, approved or not yet "
        "approved."
    )
    actual_percent: float = attribute(
        "`actualMinutes` as a percentage of `requiredMinutes`, 0 to 100, to one decimal; 0 if none are required."
    )
