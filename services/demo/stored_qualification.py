"""A stored qualification with the keys of its units and criteria, which the demo's records refer to."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """A unit with the keys of its criteria in order."""

    key: int
    number: str
    title: str
    criteria: tuple[int, ...]
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class StoredQualification:
    """A qualification with its units in order."""

    key: int
    title: str
    units: tuple[StoredUnit, ...]
    optional_units_minimum: int = 0
    off_the_job_hours: int = 0
    # The rule for these hours.
    policy: int | None = None

    def chosen(self, units: Collection[StoredUnit]) -> "StoredQualification":
        """Returns the qualification with its mandatory units and these optional ones."""
        return replace(self, units=tuple(unit for unit in self.units if unit.mandatory or unit in units))

    @property
    def criterion_count(self) -> int:
        """How many criteria all units have."""
        return sum(len(unit.criteria) for unit in self.units)


async def read_stored_qualification(session: AsyncSession, key: int) -> StoredQualification:
    """Reads a qualification by its key."""
    qualification = await session.get_one(Qualification, key)
    criteria: dict[int, list[int]] = {}
    for row in await session.execute(
        select(QualificationCriterion.unit_id, QualificationCriterion.id)
        .where(QualificationCriterion.qualification_id == key)
        .order_by(QualificationCriterion.position)
    ):
        criteria.setdefault(row.unit_id, []).append(row.id)
    units = await session.scalars(
        select(QualificationUnit).where(QualificationUnit.qualification_id == key).order_by(QualificationUnit.position)
    )
    return StoredQualification(
        key,
        qualification.title,
        tuple(StoredUnit(unit.id, unit.number, unit.title, tuple(criteria[unit.id]), unit.mandatory) for unit in units),
        qualification.optional_units_minimum,
        qualification.off_the_job_hours_minimum or 0,
    )
