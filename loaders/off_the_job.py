"""Off-the-job minutes: required by the qualifications, expected by today, and logged."""

from dataclasses import dataclass

from domain import progress
from loaders.aggregates import GroupBy, Metric, MetricValues, aggregate
from loaders.core.base import OneLoader

# The largest Int of GraphQL. The minutes of a very large provider are more.
MAX_INT = 2**31 - 1
_METRICS = frozenset({Metric.REQUIRED_TIME, Metric.ACTUAL_TIME})


@dataclass(slots=True)
class OffTheJobRow:
    """Off-the-job minutes."""

    required_minutes: int
    expected_minutes: int
    actual_minutes: int

    @classmethod
    def from_metrics(cls, values: MetricValues) -> "OffTheJobRow":
        """Builds the row from the values of `Metric.REQUIRED_TIME` and `Metric.ACTUAL_TIME`, each at most `MAX_INT`."""
        return cls(*(min(values[name], MAX_INT) for name in ("required", "expected", "actual")))

    @property
    def actual_percent(self) -> float:
        """Returns the actual minutes in percent of the required ones, 0 to 100; 0 if none are required."""
        return progress.percent(self.actual_minutes, self.required_minutes)


class OffTheJobLoader(OneLoader[int, OffTheJobRow]):
    """Loads the off-the-job minutes of a learner, over the aims and entries that the viewer sees."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, OffTheJobRow]:
        found = await aggregate(self.reading, GroupBy.LEARNER, _METRICS, keys)
        return {key: OffTheJobRow.from_metrics(found[key]) for key in keys}
