"""Hands aims, planned sessions and what waits for assessment over from one assessor to another."""

from collections.abc import Sequence
from typing import TypedDict

from db.models.aim import Aim
from db.models.user import User
from domain import global_id
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from repositories.aim import aims_by_key, aims_of_assessor
from repositories.learner import users_of_learners
from repositories.user import grants_of_user
from resolvers.core.separation_of_duties import check_not_own_record, require_not_self
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity
from resolvers.session.reassignment import hand_over_aims

# In one mutation: the rest goes with the next.
MAX_AIMS = 500


class HandedOver(TypedDict):
    """The keys of the aims and of the sessions that changed their assessor."""

    aims: list[int]
    sessions: list[int]


@mutation("assessorHandOver")
async def assessor_hand_over(
    uow: UnitOfWork, *, from_user_id: str, to_user_id: str, aim_ids: Sequence[str] | None = None
) -> HandedOver:
    """Hands an assessor's aims over to another, with the sessions to come about them; all aims if none are named.

    Evidence that waits goes with its aim. The learners and both assessors get an e-mail. Rejects with NOT_FOUND,
    NOT_ALLOWED, INVALID for people and aims, and REQUIRED for an empty list.
    """
    from_user = await require_entity(uow, User, from_user_id, "input", "fromUserId", locked=False)
    if from_user is not None:
        uow.authorize()
    to_user = await require_entity(uow, User, to_user_id, "input", "toUserId", locked=False)
    uow.raise_errors()
    assert from_user is not None and to_user is not None
    await _check_receiver(uow, from_user, to_user)
    aims = await _aims(uow, from_user, aim_ids)
    learner_users = await users_of_learners(uow.session, {aim.learner_id for aim in aims})
    check_not_own_record(uow, to_user.id, learner_users, "input", "toUserId")
    sampled = [aim for aim in aims if aim.iqa_id == to_user.id]
    if sampled:
        message = say("IQA_OF_COMPONENTS", count=len(sampled))
        uow.add_error(UserErrorCode.INVALID, message, "input", "toUserId")
    uow.raise_errors()
    sessions = await hand_over_aims(uow, aims, from_user.id, to_user)
    if aims:
        learners = {aim.learner_id for aim in aims}
        uow.audit(
            "User", from_user.id, learner_id=learners.pop() if len(learners) == 1 else None,
            aim_id=aims[0].id if len(aims) == 1 else None, to=to_user.id, aims=[aim.id for aim in aims],
            sessions=[session.id for session in sessions],
        )  # fmt: skip
        uow.changed_learners.update(aim.learner_id for aim in aims)
    return {"aims": [aim.id for aim in aims], "sessions": [session.id for session in sessions]}


async def _check_receiver(uow: UnitOfWork, from_user: User, to_user: User) -> None:
    if from_user.id == to_user.id:
        message = say("SAME_PERSON")
        uow.add_error(UserErrorCode.INVALID, message, "input", "toUserId")
    elif to_user.archived_at is not None or Role.ASSESSOR not in await grants_of_user(uow.session, to_user.id):
        message = say("ROLE_MISSING", role=Role.ASSESSOR)
        uow.add_error(UserErrorCode.INVALID, message, "input", "toUserId")
    else:
        require_not_self(uow, to_user, "OWN_ASSIGNMENT", "input", "toUserId", role=Role.ASSESSOR)


async def _aims(uow: UnitOfWork, from_user: User, aim_ids: Sequence[str] | None) -> list[Aim]:
    """Returns the aims to hand over, locked; records an error for each that is not one of the assessor's."""
    if aim_ids is None:
        return await aims_of_assessor(uow.session, from_user.provider_id, from_user.id)
    if not aim_ids:
        message = say("COMPONENTS_MISSING_OR_ALL")
        uow.add_error(UserErrorCode.REQUIRED, message, "input", "aimIds")
    if len(aim_ids) > MAX_AIMS:
        message = say("TOO_MANY_COMPONENTS_AT_ONCE", most=MAX_AIMS)
        uow.add_error(UserErrorCode.INVALID, message, "input", "aimIds")
        return []
    keys = [global_id.decode("Aim", id) for id in aim_ids]
    found = {aim.id: aim for aim in await aims_by_key(uow.session, {key for key in keys if key is not None})}
    for index, key in enumerate(keys):
        aim = found.get(key or 0)
        if aim is None or aim.provider_id != uow.viewer.provider_key:
            uow.add_not_found("input", "aimIds", str(index))
        elif aim.assessor_id != from_user.id:
            message = say("COMPONENT_OF_OTHER_ASSESSOR")
            uow.add_error(UserErrorCode.INVALID, message, "input", "aimIds", str(index))
    return list(found.values())
