"""Aims with their progress."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from db.models.aim import Aim, AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from db.models.aim_version import AimVersion
from db.models.learner import Learner
from db.models.off_the_job_policy import OffTheJobPolicy
from db.models.provider import Provider
from db.models.qualification import Qualification
from db.models.user import User
from domain.breaks import BreakPeriod
from domain.enums import AimStatus, BreakReason
from services.progress import break_columns
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
        breaks: Sequence[tuple[dt.date, dt.date | None]] = (),
        **columns: Any,
    ) -> Aim:
        """Adds an aim in training, from 100 days ago to 100 days ahead.

        Its progress is `criteria`, `mapped` and `signed_off`; without `criteria`, the total is the qualification's.
        `breaks` are pairs of the first day and the day of return.
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
                required_minutes=60 * (qualification.off_the_job_hours_minimum or 0),
                **break_columns([BreakPeriod(*period) for period in breaks], aim.start_date, aim.planned_end_date),
            )
        )
        for start, returned in breaks:
            users = select(User.id).where(User.provider_id == aim.provider_id)
            await self.add(
                AimBreak(
                    **keys, aim_id=aim.id, start_date=start, returned_on=returned, reason=BreakReason.ILLNESS,
                    created_by_id=(await self.session.scalars(users)).first(), created_at=self.now,
                )
            )  # fmt: skip
        return aim

    async def aim_break(self, aim: Aim, by: User, start: dt.date, returned: dt.date | None) -> AimBreak:
        """Adds the row of a break alone: the aim's sums do not know of it."""
        return await self.add(
            AimBreak(
                provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, start_date=start,
                returned_on=returned, reason=BreakReason.ILLNESS, note="Broken wrist", created_by_id=by.id,
                expected_return_date=returned,
                created_at=self.now,
            )
        )  # fmt: skip

    async def aim_history(self, aim: Aim, by: User) -> None:
        """Adds a change of the aim's status, an earlier version, and a policy for its hours."""
        keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id, "aim_id": aim.id}
        changed = {"changed_by_id": by.id, "changed_at": self.now}
        await self.add(
            AimStatusChange(**keys, **changed, status=aim.status, from_date=aim.start_date, reason="Came back")
        )
        await self.add(AimVersion(**keys, **changed, qualification_id=aim.qualification_id))
        policy = await self.add(
            OffTheJobPolicy(
                provider_id=aim.provider_id, reference=f"ST{aim.id:04}", starts_from=aim.start_date, minimum_hours=100,
                floor_hours=50, source="The published table", imported_at=self.now,
            )
        )  # fmt: skip
        sums = await self.session.get_one(AimProgress, aim.id)
        sums.policy_id, sums.planned_minutes = policy.id, 6_000
        aim.start_date_reason = "Typed wrong"
