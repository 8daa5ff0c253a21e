"""Samples of internal quality assurance, and the policy."""

from typing import Any

from db.models.aim import Aim
from db.models.provider import Provider
from db.models.sample import Sample, SampleAction, SampleFinding, SamplingPolicy
from db.models.user import User
from domain.enums import SampleStatus
from tests.support.factories.base import RowFactory, keys_of


class SampleFactory(RowFactory):
    async def sampling_policy(self, provider: Provider, aims: int, units: int, first_units: int) -> SamplingPolicy:
        return await self.add(
            SamplingPolicy(
                provider_id=provider.id, aims_percent=aims, units_percent=units,
                first_units_of_new_assessor=first_units, saved_at=self.now,
            )
        )  # fmt: skip

    async def sample(self, aim: Aim, unit_key: int, assessor: User, iqa: User, **columns: Any) -> Sample:
        """Adds a sample that is planned for today."""
        values = {"status": SampleStatus.PLANNED, "planned_for": self.today, "planned_at": self.now, **columns}
        keys = {"aim_id": aim.id, "unit_id": unit_key, "assessor_id": assessor.id, "iqa_id": iqa.id}
        return await self.add(Sample(**keys_of(aim), **keys, **values))

    async def sample_finding(self, sample: Sample, **columns: Any) -> SampleFinding:
        """Adds a good finding."""
        values = {"valid": True, "authentic": True, "current": True, "sufficient": True, **columns}
        return await self.add(SampleFinding(**keys_of(sample), sample_id=sample.id, **values))

    async def sample_action(self, sample: Sample, **columns: Any) -> SampleAction:
        """Adds an action that is neither answered nor closed."""
        values = {"description": "Add a photo", **columns}
        return await self.add(SampleAction(**keys_of(sample), aim_id=sample.aim_id, sample_id=sample.id, **values))
