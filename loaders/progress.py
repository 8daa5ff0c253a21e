"""Progress in criteria and time, of an aim and of a whole programme."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from domain import progress
from domain.breaks import AimSpan, days_of_programme, parse_periods
from domain.enums import AimStatus, TrafficLight

if TYPE_CHECKING:
    import datetime as dt

    from auth.viewer import ProviderRules
    from loaders.aim import AimRow


@dataclass(slots=True)
class ProgressRow:
    """Numbers of criteria, and time elapsed in tenths of a percent. The percentages are 0 to 100."""

    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int
    duration_tenths: int = 0
    past_planned_end: bool = False
    # Days of breaks that are left out of the duration.
    days_on_break: int = 0
    # Optional units that are still to choose: until then no share of criteria is the whole.
    units_to_choose: int = 0
    mapped_tenths: int = field(init=False)
    # The blue, the orange and the green bar.
    duration_percent: float = field(init=False)
    mapped_percent: float = field(init=False)
    signed_off_percent: float = field(init=False)

    def __post_init__(self) -> None:
        missing = self.units_to_choose
        self.mapped_tenths = mapped = progress.reached_tenths(self.criteria_mapped, self.criteria_total, missing)
        signed_off = progress.reached_tenths(self.criteria_signed_off, self.criteria_total, missing)
        self.duration_percent = self.duration_tenths / 10
        self.mapped_percent = mapped / 10
        self.signed_off_percent = signed_off / 10

    @property
    def points_ahead(self) -> float:
        """Returns mapped percent minus duration percent, in percentage points; negative means behind."""
        return (self.mapped_tenths - self.duration_tenths) / 10

    def traffic_light(self, in_training: bool, tolerance: float, rated_from: float) -> TrafficLight:
        """Returns the traffic light of this progress by the provider's rules, which are in percentage points."""
        return progress.traffic_light(
            in_training=in_training,
            criteria_total=self.criteria_total,
            mapped=self.mapped_tenths,
            duration=self.duration_tenths,
            tolerance=tolerance,
            rated_from=rated_from,
        )


@lru_cache(maxsize=20_000)
def aim_progress(
    status_name: str,
    start: "dt.date",
    planned_end: "dt.date",
    total: int,
    mapped: int,
    signed_off: int,
    ended_breaks: int,
    break_since: "dt.date | None",
    units_to_choose: int,
    today: "dt.date",
    tolerance: float,
    rated_from: float,
) -> tuple[ProgressRow, TrafficLight]:
    """Returns the progress of an aim and its traffic light. Aims with the same facts share them: they never change.

    `total`, `mapped` and `signed_off` are numbers of criteria; `ended_breaks` and `break_since` as in
    `domain.progress.days_on_break`; `tolerance` and `rated_from` are the provider's rules, in percentage points.
    """
    status = AimStatus[status_name]
    on_break = progress.days_on_break(ended_breaks, break_since, start, planned_end, today)
    found = ProgressRow(
        total,
        mapped,
        signed_off,
        progress.duration_tenths(start, planned_end, today, on_break),
        progress.is_past_planned_end(status, planned_end, today),
        on_break,
        units_to_choose,
    )
    return found, found.traffic_light(status is AimStatus.IN_TRAINING, tolerance, rated_from)


@dataclass(slots=True)
class ProgrammeRow:
    """The programme of a learner: the numbers are of all aims that are not withdrawn, `aims` has those too."""

    progress: ProgressRow
    traffic_light: TrafficLight
    days_remaining: int
    days_overdue: int
    start_date: "dt.date | None"
    aims: Sequence["AimRow"]

    @property
    def aim_ids(self) -> list[str]:
        """Returns the ids of the aims."""
        return [aim.id for aim in self.aims]

    @property
    def aim_statuses(self) -> list[AimStatus]:
        """Returns the statuses of the aims, in the order of their ids."""
        return [aim.status for aim in self.aims]


def programme_of(aims: Sequence["AimRow"], today: "dt.date", rules: "ProviderRules") -> ProgrammeRow:
    """Returns the programme of a learner's aims (docs/behaviours.md).

    Criteria are summed; time runs from the earliest start to the latest planned end, without the days on which every
    aim is on a break.
    """
    included = [aim for aim in aims if aim.status is not AimStatus.WITHDRAWN]
    if not included:
        return ProgrammeRow(ProgressRow(0, 0, 0), TrafficLight.NOT_RATED, 0, 0, None, aims)
    start = min(aim.start_date for aim in included)
    end = max(aim.planned_end_date for aim in included)
    on_break = 0
    if any(aim.break_periods for aim in included):
        spans = [AimSpan(aim.start_date, aim.actual_end_date, parse_periods(aim.break_periods)) for aim in included]
        on_break = days_of_programme(spans, start, min(today, end))
    late = today > end and any(aim.status not in progress.NEVER_LATE for aim in included)
    summed = ProgressRow(
        criteria_total=sum(aim.progress.criteria_total for aim in included),
        criteria_mapped=sum(aim.progress.criteria_mapped for aim in included),
        criteria_signed_off=sum(aim.progress.criteria_signed_off for aim in included),
        duration_tenths=progress.duration_tenths(start, end, today, on_break),
        past_planned_end=late,
        days_on_break=on_break,
        units_to_choose=sum(aim.units_to_choose for aim in included),
    )
    in_training = any(aim.status is AimStatus.IN_TRAINING for aim in included)
    return ProgrammeRow(
        progress=summed,
        traffic_light=summed.traffic_light(in_training, rules.traffic_light_tolerance, rules.rated_from_percent),
        days_remaining=max((end - today).days, 0),
        days_overdue=(today - end).days if late else 0,
        start_date=start,
        aims=aims,
    )
