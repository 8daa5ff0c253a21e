"""Key performance indicators over all learners whom the viewer sees, or over those of an employer among them.

One statement reads the selected metrics and nothing else; all employers of a page share one.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from domain.progress import tenths
from loaders.aggregates import GroupBy, Metric, MetricValues, aggregate
from loaders.core.dataloader import BaseLoader
from loaders.core.registry import Loaders
from loaders.off_the_job import OffTheJobRow, Owner
from loaders.progress import ProgressRow

Metrics = frozenset[Metric]
ALL_METRICS: Metrics = frozenset(Metric)


@dataclass(slots=True)
class KpisRow:
    """KPIs over a set of learners. A property raises KeyError if its metric was not selected."""

    generated_at: dt.datetime
    values: MetricValues
    # Whose they are, for what is read only if it is selected.
    owner: Owner = (GroupBy.VIEWER, None)

    @property
    def learner_count(self) -> int:
        """Returns the number of learners with an aim that has not ended, or without any aim yet."""
        return self.values["learners"]

    @property
    def ended_learner_count(self) -> int:
        """Returns the number of learners who have completed an aim and have no other that has not ended."""
        return self.values["ended_learners"]

    @property
    def aim_count(self) -> int:
        """Returns the number of aims that are not withdrawn."""
        return self.values["aims"]

    @property
    def off_track_count(self) -> int:
        """Returns the number of aims with a red light."""
        return self.values["off_track"]

    @property
    def on_track_count(self) -> int:
        """Returns the number of aims with an amber light: all others are counted."""
        values = self.values
        return values["aims"] - values["off_track"] - values["ahead"] - values["not_rated"]

    @property
    def ahead_count(self) -> int:
        """Returns the number of aims with a green light."""
        return self.values["ahead"]

    @property
    def not_rated_count(self) -> int:
        """Returns the number of aims without a light."""
        return self.values["not_rated"]

    @property
    def past_planned_end_count(self) -> int:
        """Returns the number of unfinished aims whose planned end has passed."""
        return self.values["past_planned_end"]

    @property
    def progress(self) -> ProgressRow:
        """Returns the sums of criteria and the mean duration of the aims."""
        values, aims = self.values, self.values["aims"]
        return ProgressRow(
            criteria_total=values["criteria_total"],
            criteria_mapped=values["criteria_mapped"],
            criteria_signed_off=values["criteria_signed_off"],
            duration_tenths=tenths(values["duration_tenths"], 1000 * aims),
            past_planned_end=values["past_planned_end"] > 0,
            days_on_break=values["days_on_break"],
            units_to_choose=values["units_to_choose"],
        )

    @property
    def awaiting_signature_count(self) -> int:
        """Returns the number of open signature slots of the viewer's role."""
        return self.values["awaiting_signature"]

    @property
    def outstanding_action_count(self) -> int:
        """Returns the number of actions that are not complete."""
        return self.values["outstanding"]

    @property
    def overdue_action_count(self) -> int:
        """Returns the number of actions that are not complete and whose target date has passed."""
        return self.values["overdue"]

    @property
    def awaiting_assessment_count(self) -> int:
        """Returns the number of pieces of evidence that wait for their assessment."""
        return self.values["awaiting_assessment"]

    @property
    def sessions_next7_days(self) -> int:
        """Returns the number of planned sessions that begin within seven days."""
        return self.values["upcoming_sessions"]

    @property
    def off_the_job(self) -> OffTheJobRow:
        """Returns the minutes required, expected and logged."""
        return OffTheJobRow.from_metrics(self.values, self.owner)


class KpisLoader(BaseLoader[Metrics, KpisRow]):
    """Loads the viewer's KPIs by the selected metrics. All fields of an operation are read together."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._reading = loaders.reading

    async def read(self, keys: list[Metrics]) -> list[KpisRow]:
        found = await aggregate(self._reading, GroupBy.VIEWER, _union(keys), [])
        return [KpisRow(self._reading.now, found[None])] * len(keys)


class KpisOfEmployerLoader(BaseLoader[tuple[int, Metrics], KpisRow]):
    """Loads the KPIs of each employer's learners whom the viewer sees, by (employer key, selected metrics)."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._reading = loaders.reading

    async def read(self, keys: list[tuple[int, Metrics]]) -> list[KpisRow]:
        metrics = _union(metrics for _, metrics in keys)
        employer_keys = list({employer_key for employer_key, _ in keys})
        found = await aggregate(self._reading, GroupBy.EMPLOYER, metrics, employer_keys)
        now = self._reading.now
        return [KpisRow(now, found[employer_key], (GroupBy.EMPLOYER, employer_key)) for employer_key, _ in keys]


def _union(selections: Iterable[Metrics]) -> Metrics:
    # A statement needs a metric even if only `generatedAt` is selected: the number of learners costs least.
    return frozenset().union(*selections) or frozenset({Metric.LEARNERS})
