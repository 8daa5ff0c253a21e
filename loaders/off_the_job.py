"""Off-the-job time: what the standards require, what should be there by now, and what was logged."""

from dataclasses import dataclass

from domain import progress
from loaders.aggregates import GroupBy, Metric, Sums, aggregate
from loaders.core.base import OneLoader

PARTS = frozenset({Metric.REQUIRED_TIME, Metric.ACTUAL_TIME})


@dataclass(slots=True)
class OffTheJobRow:
    """Minutes off the job."""

    required_minutes: int
    expected_minutes: int
    actual_minutes: int

    @classmethod
    def of(cls, sums: Sums) -> "OffTheJobRow":
        """From the sums of `PARTS`."""
        return cls(sums["required"], sums["expected"], sums["actual"])

    @property
    def actual_percent(self) -> float:
        """Actual of required, 0 to 100; 0 where nothing is required."""
        return progress.percent(self.actual_minutes, self.required_minutes)


class OffTheJobLoader(OneLoader[int, OffTheJobRow]):
    """A learner's, over the aims and entries that the viewer sees."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, OffTheJobRow]:
        found = await aggregate(self.reading, GroupBy.LEARNER, PARTS, keys)
        return {key: OffTheJobRow.of(sums) for key, sums in found.items()}
