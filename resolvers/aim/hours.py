"""Records the agreed off-the-job hours of an aim: the plan, and the prior learning that reduces it."""

from db.models.aim import Aim
from domain.enums import UserErrorCode
from domain.sentences import say
from resolvers.aim.result import AimChange, of_aim
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.aim import AIM, AimState

# 20,000 hours, more than any programme.
MAX_MINUTES = 1_200_000


@mutation("hoursAgree")
async def agree(uow: UnitOfWork, *, aim_id: str, planned_minutes: int, prior_learning_minutes: int = 0) -> AimChange:
    """Records the minutes that were agreed for an aim, and its prior learning. Returns its key and the learner's.

    Rejects with NOT_FOUND, NOT_ALLOWED, and INVALID for minutes out of range.
    """
    aim = await uow.get(Aim, aim_id, "aimId")
    uow.require(AIM, AimState.of(aim))
    for name, minutes in (("plannedMinutes", planned_minutes), ("priorLearningMinutes", prior_learning_minutes)):
        if not 0 <= minutes <= MAX_MINUTES:
            message = say("MINUTES_OUT_OF_RANGE", least=0, most=MAX_MINUTES)
            uow.add_error(UserErrorCode.INVALID, message, name)
    uow.raise_errors()
    if (aim.planned_minutes, aim.prior_learning_minutes) != (planned_minutes, prior_learning_minutes):
        aim.planned_minutes, aim.prior_learning_minutes = planned_minutes, prior_learning_minutes
        uow.recount_hours(aim)
        uow.audit("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, fields=["hours"])
    return of_aim(aim)
