"""Progress in a unit: its criteria, counted, and whether it is signed off."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

from domain import progress
from domain.enums import CriterionFilter, CriterionStatus
from loaders.core.dataloader import BaseLoader
from loaders.core.registry import Loaders
from loaders.core.rows import Attributes
from loaders.criterion import CriteriaOfUnitLoader, CriterionRow
from loaders.unit import UnitRow, UnitSignaturesLoader, unit_signed_off

# What is counted.
COUNTED: Attributes = {CriterionRow: ("status",)}


@dataclass(slots=True)
class UnitProgressRow:
    """The numbers of a unit's criteria."""

    other_rows: ClassVar[Attributes] = COUNTED

    criteria_total: int
    criteria_mapped: int
    criteria_signed_off: int

    @property
    def mapped_percent(self) -> float:
        """Returns the criteria mapped or signed off in percent of all, 0 to 100 (orange)."""
        return progress.percent(self.criteria_mapped, self.criteria_total)

    @property
    def signed_off_percent(self) -> float:
        """Returns the criteria signed off in percent of all, 0 to 100 (green)."""
        return progress.percent(self.criteria_signed_off, self.criteria_total)

    @property
    def complete(self) -> bool:
        """Returns whether the unit has criteria and all are signed off."""
        return 0 < self.criteria_total == self.criteria_signed_off


class UnitProgressLoader(BaseLoader[UnitRow, UnitProgressRow]):
    """Loads the progress of units that have been read, from the list of their criteria."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._criteria = loaders.get(CriteriaOfUnitLoader, CriterionFilter.ALL)

    def get_cache_key(self, key: UnitRow) -> Any:
        return key.key

    async def read(self, keys: list[UnitRow]) -> list[UnitProgressRow]:
        return [_counted(criteria) for criteria in await self._criteria.load_many(keys)]


class UnitSignedOffLoader(BaseLoader[UnitRow, bool]):
    """Loads whether units that have been read are signed off: their criteria, and by the roles that must sign."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self._progress, self._signatures = loaders[UnitProgressLoader], loaders[UnitSignaturesLoader]

    def get_cache_key(self, key: UnitRow) -> Any:
        return key.key

    async def read(self, keys: list[UnitRow]) -> list[bool]:
        # Together, so that neither waits for the other's statement.
        progress_of_units, signatures_of_units = await asyncio.gather(
            self._progress.load_many(keys), self._signatures.load_many([unit.key for unit in keys])
        )
        pairs = zip(progress_of_units, signatures_of_units, strict=True)
        return [each.complete and unit_signed_off(signatures) for each, signatures in pairs]


def _counted(criteria: list[CriterionRow]) -> UnitProgressRow:
    statuses = [criterion.status for criterion in criteria]
    not_started, signed_off = statuses.count(CriterionStatus.NOT_STARTED), statuses.count(CriterionStatus.SIGNED_OFF)
    return UnitProgressRow(
        criteria_total=len(statuses), criteria_mapped=len(statuses) - not_started, criteria_signed_off=signed_off
    )
