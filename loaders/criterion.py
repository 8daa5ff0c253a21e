"""Criteria of a learner's units: the cached criteria of the qualification with what the learner has reached."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.sql.any_of import any_of
from domain.enums import CriterionFilter, CriterionStatus, Role
from domain.global_id import Identifier
from domain.progress import criterion_status
from loaders.core.base import OneLoader
from loaders.core.dataloader import BaseLoader
from loaders.core.qualification_cache import CriterionReference
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.core.row_properties import Delegated
from loaders.core.rows import Attributes, LightRow, column, derived, row
from loaders.unit import UnitRow, UnitsOfAimLoader, UnitsOfEarlierVersionsLoader


@row(
    CriterionProgress,
    joins=lambda statement: statement.join(Aim, Aim.id == CriterionProgress.aim_id),
)
class CriterionProgressRow(LightRow):
    """What a learner has reached in a criterion: `status` is red, orange or green."""

    aim_key: int = column(CriterionProgress.aim_id)
    criterion_key: int = column(CriterionProgress.criterion_id)
    evidence_count: int = column(CriterionProgress.evidence_count)
    signed_off: bool = column(CriterionProgress.signed_off)
    signed_off_by_key: int | None = column(CriterionProgress.signed_off_by_id)
    signed_off_at: dt.datetime | None = column(CriterionProgress.signed_off_at)
    status: CriterionStatus = derived("evidence_count", "signed_off")

    @classmethod
    def derive(cls, rows: Sequence["CriterionProgressRow"], reading: ReadSession | None) -> None:
        for progress in rows:
            progress.status = criterion_status(progress.evidence_count, progress.signed_off)


# The progress of all criteria without evidence: a progress map has hundreds of them, and no row is stored for them.
NOT_STARTED = CriterionProgressRow(0, 0, 0, False, None, None)
CriterionProgressRow.derive([NOT_STARTED], None)


@dataclass(slots=True)
class CriterionRow:
    """A criterion of a learner's unit. `progress` is NOT_STARTED if no evidence was ever mapped to it."""

    unit: UnitRow
    criterion: CriterionReference
    progress: CriterionProgressRow

    other_rows: ClassVar[Attributes] = UnitRow.other_rows

    id = Identifier("Criterion", "unit.aim.key", "criterion.key")
    code = Delegated[str]("criterion.code")
    description = Delegated[str]("criterion.description")
    status = Delegated[CriterionStatus]("progress.status")
    evidence_count = Delegated[int]("progress.evidence_count")
    signed_off_by_key = Delegated[int | None]("progress.signed_off_by_key")
    signed_off_at = Delegated[dt.datetime | None]("progress.signed_off_at")

    @classmethod
    def without_progress(cls, pairs: Iterable[tuple[UnitRow, CriterionReference]]) -> "list[CriterionRow]":
        """Returns rows whose `progress` was not read: reading it raises AttributeError."""
        rows = []
        for unit, criterion in pairs:
            row = object.__new__(cls)
            row.unit, row.criterion = unit, criterion
            rows.append(row)
        return rows

    @property
    def key(self) -> tuple[int, int]:
        """Returns (aim key, key of the qualification's criterion)."""
        return self.unit.aim.key, self.criterion.key


# The attributes that need the progress.
_OF_PROGRESS = ("progress", "status", "evidence_count", "signed_off_by_key", "signed_off_at")


def _reads_progress(loaders: Loaders) -> bool:
    """Returns whether the selected fields of the operation may read the progress of a criterion."""
    return any(loaders.reading.needs(CriterionRow, attribute) for attribute in _OF_PROGRESS)


@cached_statement
def _progress_of_aims(role: Role) -> Select:
    # The keys on both sides of the join: otherwise the database reads all aims in scope and joins them with a few.
    return CriterionProgressRow.select(role).where(
        any_of(CriterionProgress.aim_id), any_of(Aim.id), scope.sees_aim(role)
    )


class CriterionProgressLoader(OneLoader[int, dict[int, CriterionProgressRow]]):
    """Loads the progress in the criteria of an aim, by criterion key. Criteria that are not started are missing."""

    keys_of = "aim"

    async def fetch(self, keys: list[int]) -> dict[int, dict[int, CriterionProgressRow]]:
        found: dict[int, dict[int, CriterionProgressRow]] = {key: {} for key in keys}
        statement = _progress_of_aims(self.reading.viewer.role)
        for progress in await self.reading.read(CriterionProgressRow, statement, keys=keys):
            found[progress.aim_key][progress.criterion_key] = progress
        return found


class CriteriaOfUnitLoader(BaseLoader[UnitRow, list[CriterionRow]]):
    """Loads the criteria of units that have been read, in order: all, or those that are not signed off.

    All units of an operation's aims are read in one statement; without one, if the operation selects only what the
    criteria of the qualification say.
    """

    def __init__(self, loaders: Loaders, filter: CriterionFilter) -> None:
        super().__init__()
        self._progress = loaders[CriterionProgressLoader]
        self._filter = filter
        self._reads_progress = filter is not CriterionFilter.ALL or _reads_progress(loaders)

    def get_cache_key(self, key: UnitRow) -> Any:
        return key.key

    async def read(self, keys: list[UnitRow]) -> list[list[CriterionRow]]:
        if not self._reads_progress:
            return [CriterionRow.without_progress((unit, each) for each in unit.unit.criteria) for unit in keys]
        aim_keys = list({unit.aim.key for unit in keys})
        progress_of_aim = dict(zip(aim_keys, await self._progress.load_many(aim_keys), strict=True))
        lists = []
        for unit in keys:
            progress = progress_of_aim[unit.aim.key] or {}
            lists.append([CriterionRow(unit, each, progress.get(each.key, NOT_STARTED)) for each in unit.unit.criteria])
        if self._filter is CriterionFilter.ALL:
            return lists
        return [[row for row in rows if row.status is not CriterionStatus.SIGNED_OFF] for rows in lists]


class CriterionLoader(OneLoader[tuple[int, int], CriterionRow], node="Criterion"):
    """Loads criteria by (aim key, criterion key), also those of an aim's earlier versions."""

    keys_of = "criterion"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._units_of_aim = loaders.get(UnitsOfAimLoader, False)
        self._earlier = loaders[UnitsOfEarlierVersionsLoader]
        self._progress = loaders[CriterionProgressLoader]
        self._reads_progress = _reads_progress(loaders)

    async def fetch(self, keys: list[tuple[int, int]]) -> dict[tuple[int, int], CriterionRow]:
        lists = await self._units_of_aim.load_many(list({aim_key for aim_key, _ in keys}))
        found = await self._of_own_versions(lists, keys)
        if missing := {key[0] for key in keys if key not in found}:
            # Of an aim that the viewer sees, a criterion that is not in its version may be in an earlier one.
            seen = [units[0].aim.key for units in lists if units]
            earlier = await self._earlier.load_many([aim_key for aim_key in seen if aim_key in missing])
            found |= _wanted_criteria(earlier, set(keys) - found.keys())
        if not self._reads_progress:
            return dict(zip(found, CriterionRow.without_progress(found.values()), strict=True))
        aim_keys = list({aim_key for aim_key, _ in found})
        progress_of_aim = dict(zip(aim_keys, await self._progress.load_many(aim_keys), strict=True))
        return {
            key: CriterionRow(unit, criterion, (progress_of_aim[key[0]] or {}).get(criterion.key, NOT_STARTED))
            for key, (unit, criterion) in found.items()
        }

    async def _of_own_versions(
        self, lists: Iterable[list[UnitRow]], keys: Iterable[tuple[int, int]]
    ) -> dict[tuple[int, int], tuple[UnitRow, CriterionReference]]:
        """Returns the criteria with these keys of the units of aims, which are each of one version."""
        first = [units[0] for units in lists if units]
        versions = await self.reading.qualifications.qualifications(each.unit.qualification_key for each in first)
        criteria = {each.aim.key: versions[each.unit.qualification_key].criteria_by_key for each in first}
        units_of = {units[0].aim.key: {each.unit.key: each for each in units} for units in lists if units}
        return {
            key: (units_of[key[0]][criterion.unit_key], criterion)
            for key in keys
            if key[0] in criteria and (criterion := criteria[key[0]].get(key[1])) is not None
        }


def _wanted_criteria(
    lists: Iterable[Iterable[UnitRow]], wanted: Collection[tuple[int, int]]
) -> dict[tuple[int, int], tuple[UnitRow, CriterionReference]]:
    """Returns the criteria of units whose pairs of aim key and criterion key are wanted, by these pairs."""
    return {
        (aim_key, criterion.key): (unit, criterion)
        for units in lists
        for unit in units
        for aim_key in (unit.aim.key,)
        for criterion in unit.unit.criteria
        if (aim_key, criterion.key) in wanted
    }
