"""Allocations: which learners an Employer Manager sees, and which sites an Employer Overview [000]."""

from collections.abc import Sequence
from typing import Any

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation, User
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import not_found
from repositories.people import allocations_of, grants_of_user, visible_keys
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.exports.labels import ROLE

# In one go; more can be allocated afterwards.
MOST_AT_ONCE = 100


@mutation("employerManagerAllocate")
async def manager_allocate(uow: UnitOfWork, *, user_id: str, learner_ids: Sequence[str]) -> int:
    """Lets an Employer Manager see learners whom the viewer sees: all of them or none; again changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED, and INVALID where the user is no Employer Manager.
    """
    return await _allocate(uow, Role.EMPLOYER_MANAGER, user_id, learner_ids)


@mutation("employerManagerDeallocate")
async def manager_deallocate(uow: UnitOfWork, *, user_id: str, learner_ids: Sequence[str]) -> int:
    """Takes learners whom the viewer sees from an Employer Manager's sight, from the next request on."""
    return await _deallocate(uow, Role.EMPLOYER_MANAGER, user_id, learner_ids)


@mutation("employerOverviewAllocate")
async def overview_allocate(uow: UnitOfWork, *, user_id: str, employer_ids: Sequence[str]) -> int:
    """Lets an Employer Overview see every learner of sites: all of them or none; again changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED, and INVALID where the user is no Employer Overview.
    """
    return await _allocate(uow, Role.EMPLOYER_OVERVIEW, user_id, employer_ids)


@mutation("employerOverviewDeallocate")
async def overview_deallocate(uow: UnitOfWork, *, user_id: str, employer_ids: Sequence[str]) -> int:
    """Takes sites from an Employer Overview's sight, from the next request on."""
    return await _deallocate(uow, Role.EMPLOYER_OVERVIEW, user_id, employer_ids)


async def _allocate(uow: UnitOfWork, role: Role, user_id: str, require_entity: Sequence[str]) -> int:
    user, keys = await _read(uow, role, user_id, require_entity)
    if user.archived_at is not None or role not in await grants_of_user(uow.session, user.id):
        message = f"This person is no {ROLE[role]}. Give them the role first (roleGrant)."
        uow.add_error(UserErrorCode.INVALID, message, "userId")
    uow.raise_errors()
    missing = [key for key in keys if key not in await allocations_of(uow.session, role, user.id)]
    by = {
        "user_id": user.id,
        "provider_id": user.provider_id,
        "allocated_by_id": uow.viewer.user_key,
        "allocated_at": uow.now,
    }
    for key in missing:
        uow.session.add(
            ManagerAllocation(learner_id=key, **by)
            if role is Role.EMPLOYER_MANAGER
            else OverviewAllocation(employer_id=key, **by)
        )
    _record(uow, role, user, missing)
    return user.id


async def _deallocate(uow: UnitOfWork, role: Role, user_id: str, require_entity: Sequence[str]) -> int:
    user, keys = await _read(uow, role, user_id, require_entity)
    uow.raise_errors()
    reached = await allocations_of(uow.session, role, user.id)
    ending = [key for key in keys if key in reached]
    for key in ending:
        await uow.session.delete(reached[key])
    _record(uow, role, user, ending)
    return user.id


async def _read(uow: UnitOfWork, role: Role, user_id: str, require_entity: Sequence[str]) -> tuple[User, list[int]]:
    """The user, locked, and the keys of the learners or employers, each once; notes what the viewer does not see."""
    entity, field = _what(role)
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    if not require_entity:
        uow.add_error(UserErrorCode.REQUIRED, "Name at least one.", field)
    if len(require_entity) > MOST_AT_ONCE:
        uow.add_error(UserErrorCode.INVALID, f"Name at most {MOST_AT_ONCE} at once.", field)
        uow.raise_errors()
    keys = [ids.decode(entity.type_name(), id) for id in require_entity]
    seen = await visible_keys(uow.session, uow.viewer, entity, [key for key in keys if key is not None])
    for place, key in enumerate(keys):
        if key not in seen:
            (fault,) = not_found(field, str(place)).errors
            uow.add_error(fault.code, fault.message, field, str(place))
    return user, sorted({key for key in keys if key in seen})


def _what(role: Role) -> tuple[Any, str]:
    """What a role is allocated, and the argument that names it."""
    return (Learner, "learnerIds") if role is Role.EMPLOYER_MANAGER else (Employer, "employerIds")


def _record(uow: UnitOfWork, role: Role, user: User, keys: list[int]) -> None:
    if not keys:
        return
    if role is Role.EMPLOYER_MANAGER:
        # One learner's allocation stands in that learner's own trail too.
        uow.audit("User", user.id, learner_id=keys[0] if len(keys) == 1 else None, learners=keys)
    else:
        uow.audit("User", user.id, employers=keys)
