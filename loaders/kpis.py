"""Key performance indicators: of all the learners that the viewer sees, and of each employer's among them.

One statement gives them, and reads only what was asked for; every employer of a page has its numbers from the same one.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from loaders.aggregates import GroupBy, Metric, Sums, aggregate
from loaders.core.dataloader import BaseLoader
from loaders.core.registry import Loaders
from loaders.off_the_job import OffTheJobRow
from loaders.progress import ProgressRow

Parts = frozenset[Metric]
EVERYTHING: Parts = frozenset(Metric)
SIGNATURES: Parts = frozenset({Metric.SIGNATURES})


@dataclass(slots=True)
class KpisRow:
    """Numbers over a set of learners. Reading one whose part was not asked for raises KeyError."""

    generated_at: dt.datetime
    sums: Sums

    @property
    def learner_count(self) -> int:
        """Learners in scope."""
        return self.sums["learners"]

    @property
    def aim_count(self) -> int:
        """Their aims that are not withdrawn."""
        return self.sums["aims"]

    @property
    def off_track_count(self) -> int:
        """Aims whose light is red."""
        return self.sums["off_track"]

    @property
    def on_track_count(self) -> int:
        """Aims whose light is amber: those that are left."""
        sums = self.sums
        return sums["aims"] - sums["off_track"] - sums["ahead"] - sums["not_rated"]

    @property
    def ahead_count(self) -> int:
        """Aims whose light is green."""
        return self.sums["ahead"]

    @property
    def not_rated_count(self) -> int:
        """Aims without a light."""
        return self.sums["not_rated"]

    @property
    def past_planned_end_count(self) -> int:
        """Aims past their planned end with something still to finish."""
        return self.sums["past_planned_end"]

    @property
    def progress(self) -> ProgressRow:
        """Criteria summed over the aims; their mean duration, half up; past the planned end where any is."""
        sums, aims = self.sums, self.sums["aims"]
        return ProgressRow(
            sums["criteria_total"],
            sums["criteria_mapped"],
            sums["criteria_signed_off"],
            (2 * sums["duration_tenths"] + aims) // (2 * aims) if aims else 0,
            sums["past_planned_end"] > 0,
        )

    @property
    def awaiting_signature_count(self) -> int:
        """Open slots of the viewer's own role."""
        return self.sums["awaiting_signature"]

    @property
    def outstanding_action_count(self) -> int:
        """Actions that are not complete."""
        return self.sums["outstanding"]

    @property
    def overdue_action_count(self) -> int:
        """Those of them whose target date has passed."""
        return self.sums["overdue"]

    @property
    def awaiting_assessment_count(self) -> int:
        """Evidence submitted or resubmitted."""
        return self.sums["awaiting_assessment"]

    @property
    def sessions_next7_days(self) -> int:
        """Planned sessions that begin within seven days."""
        return self.sums["coming_sessions"]

    @property
    def off_the_job(self) -> OffTheJobRow:
        """Minutes required, expected and logged."""
        return OffTheJobRow.of(self.sums)


class KpisLoader(BaseLoader[Parts, KpisRow]):
    """The viewer's, by the parts asked for: what several fields of an operation ask for is read together."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._reading = loaders.reading

    async def read(self, asked: list[Parts]) -> list[KpisRow]:
        found = await aggregate(self._reading, GroupBy.VIEWER, _together(asked), [])
        return [KpisRow(self._reading.now, found[None])] * len(asked)


class KpisOfEmployerLoader(BaseLoader[tuple[int, Parts], KpisRow]):
    """Each employer's, by (employer key, parts), over those of its learners whom the viewer sees."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._reading = loaders.reading

    async def read(self, asked: list[tuple[int, Parts]]) -> list[KpisRow]:
        parts = _together(parts for _, parts in asked)
        keys = list({key for key, _ in asked})
        found = await aggregate(self._reading, GroupBy.EMPLOYER, parts, keys)
        return [KpisRow(self._reading.now, found[key]) for key, _ in asked]


def _together(asked: Iterable[Parts]) -> Parts:
    # Of the moment alone nothing is read, but a statement reads something: the count of learners is the cheapest.
    return frozenset().union(*asked) or frozenset({Metric.LEARNERS})
