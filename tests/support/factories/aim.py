"""Aims with their progress."""

from typing import Any

from db.models.aim import Aim, AimProgress
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.qualification import Qualification
from db.models.user import User
from domain.enums import AimStatus
from tests.support.factories.base import DAY
from tests.support.factories.qualification import QualificationFactory


class AimFactory(QualificationFactory):
    async def aim(
        self,
        learner: Learner,
        qualification: Qualification | None = None,
        *,
        assessor: User | None = None,
        iqa: User | None = None,
        criteria: int = 0,
        mapped: int = 0,
        signed_off: int = 0,
        **columns: Any,
    ) -> Aim:
        """Adds an aim in training, from 100 days ago to 100 days ahead.

        Its progress is `criteria`, `mapped` and `signed_off`; without `criteria`, the total is the qualification's.
        """
        if qualification is None:
            provider = await self.session.get_one(Provider, learner.provider_id)
            qualification = await self.qualification(provider, units=())
        values = {
            "status": AimStatus.IN_TRAINING,
            "start_date": self.today - 100 * DAY,
            "planned_end_date": self.today + 100 * DAY,
            "assessor_id": assessor.id if assessor else None,
            "iqa_id": iqa.id if iqa else None,
            "created_at": self.now,
            **columns,
        }
        keys = {"provider_id": learner.provider_id, "learner_id": learner.id}
        aim = await self.add(Aim(**keys, qualification_id=qualification.id, **values))
        await self.add(
            AimProgress(
                **keys,
                aim_id=aim.id,
                criteria_total=criteria or qualification.criterion_count,
                criteria_mapped=mapped,
                criteria_signed_off=signed_off,
            )
        )
        return aim
