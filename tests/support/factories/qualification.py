"""Qualification versions with their units and criteria."""

from typing import Any

from db.models.provider import Provider
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from tests.support.factories.base import RowFactory


class QualificationFactory(RowFactory):
    async def qualification(
        self, provider: Provider, title: str = "Qualification", units: tuple[int, ...] = (2,), **columns: Any
    ) -> Qualification:
        """Adds a qualification. Each number in `units` adds a unit with so many criteria."""
        values = {
            "unit_count": len(units),
            "criterion_count": sum(units),
            "content_sha256": f"{self.next_number():064}",
            "imported_at": self.now,
            **columns,
        }
        qualification = await self.add(Qualification(provider_id=provider.id, title=title, **values))
        keys = {"provider_id": provider.id, "qualification_id": qualification.id}
        for position, criteria in enumerate(units, 1):
            unit = await self.add(
                QualificationUnit(
                    **keys,
                    number=str(position),
                    title=f"Unit {position}",
                    position=position,
                    criterion_count=criteria,
                )
            )
            for number in range(1, criteria + 1):
                await self.add(
                    QualificationCriterion(
                        **keys,
                        unit_id=unit.id,
                        code=f"{position}.{number}",
                        description=f"Does {number}",
                        position=number,
                    )
                )
        return qualification
