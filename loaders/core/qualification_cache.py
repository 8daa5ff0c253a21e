"""A cache of qualification versions with their units and criteria, which never change.

It contains no data of learners. Loaders reach it only through an aim or a qualification that the viewer sees.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Select, select

from db.database import Database
from db.models.qualification import QualificationCriterion, QualificationUnit
from db.sql.any_of import any_of

# Limits the memory: about 300 bytes for each criterion, so about 60 MB.
MAX_CRITERIA = 200_000


@dataclass(slots=True, frozen=True)
class CriterionReference:
    """One criterion of a qualification version."""

    key: int
    unit_key: int
    code: str
    description: str


@dataclass(slots=True)
class UnitReference:
    """One unit of a qualification version, with its criteria in order."""

    key: int
    qualification_key: int
    number: str
    title: str
    mandatory: bool
    criteria: list[CriterionReference] = field(default_factory=list)


@dataclass(slots=True)
class QualificationReference:
    """One qualification version: its units in order, and its criteria by key."""

    key: int
    units: list[UnitReference] = field(default_factory=list)
    units_by_key: dict[int, UnitReference] = field(default_factory=dict)
    criteria_by_key: dict[int, CriterionReference] = field(default_factory=dict)


# unscoped: qualifications contain no data of learners; the aims that lead to them are scoped
_CONTENT: Select = (
    select(
        QualificationUnit.qualification_id,
        QualificationUnit.id.label("unit_id"),
        QualificationUnit.number,
        QualificationUnit.title,
        QualificationUnit.mandatory,
        QualificationCriterion.id.label("criterion_id"),
        QualificationCriterion.code,
        QualificationCriterion.description,
    )
    .outerjoin(QualificationCriterion, QualificationCriterion.unit_id == QualificationUnit.id)
    .where(any_of(QualificationUnit.qualification_id))
    .order_by(QualificationUnit.qualification_id, QualificationUnit.position, QualificationCriterion.position)
)


class QualificationCache:
    """Qualification versions by key. Beyond `MAX_CRITERIA` the least recently used are removed.

    `hits` and `misses` count the versions that were and were not in memory.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._versions: OrderedDict[int, QualificationReference] = OrderedDict()
        self._criterion_count = 0
        self.hits = 0
        self.misses = 0

    async def qualifications(self, keys: Iterable[int]) -> dict[int, QualificationReference]:
        """Returns the versions by key; reads those that are not in memory in one statement."""
        wanted = set(keys)
        found = {key: self._versions[key] for key in wanted if key in self._versions}
        for key in found:
            self._versions.move_to_end(key)
        self.hits += len(found)
        if missing := sorted(wanted - found.keys()):
            self.misses += len(missing)
            found |= await self._read(missing)
        return found

    async def _read(self, keys: list[int]) -> dict[int, QualificationReference]:
        read: dict[int, QualificationReference] = {}
        for row in await self._database.rows(_CONTENT, {"keys": keys}, primary=True, stand_in=True):
            version = read.setdefault(row.qualification_id, QualificationReference(row.qualification_id))
            unit = version.units_by_key.get(row.unit_id)
            if unit is None:
                unit = UnitReference(row.unit_id, row.qualification_id, row.number, row.title, row.mandatory)
                version.units_by_key[unit.key] = unit
                version.units.append(unit)
            if row.criterion_id is not None:
                criterion = CriterionReference(row.criterion_id, unit.key, row.code, row.description)
                unit.criteria.append(criterion)
                version.criteria_by_key[criterion.key] = criterion
        for version in read.values():
            if version.key not in self._versions:
                self._criterion_count += len(version.criteria_by_key)
            self._versions[version.key] = version
        while self._criterion_count > MAX_CRITERIA and len(self._versions) > 1:
            _, oldest = self._versions.popitem(last=False)
            self._criterion_count -= len(oldest.criteria_by_key)
        return read
