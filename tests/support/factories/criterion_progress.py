"""Progress of a learner in one criterion."""

from typing import Any

from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.qualification import QualificationCriterion
from db.models.user import User
from tests.support.factories.base import RowFactory, keys_of


class CriterionProgressFactory(RowFactory):
    async def criterion_progress(
        self, aim: Aim, criterion: QualificationCriterion, signed_off_by: User | None = None, **columns: Any
    ) -> CriterionProgress:
        """Adds a criterion with one piece of evidence, signed off by `signed_off_by` if given."""
        values = {"evidence_count": 1, "signed_off": signed_off_by is not None, **columns}
        if signed_off_by is not None:
            values = {"signed_off_by_id": signed_off_by.id, "signed_off_at": self.now, **values}
        return await self.add(
            CriterionProgress(
                **keys_of(aim), aim_id=aim.id, unit_id=criterion.unit_id, criterion_id=criterion.id, **values
            )
        )
