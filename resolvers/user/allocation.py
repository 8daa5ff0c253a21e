"""Allocations: the learners that an Employer Manager sees, and the sites that an Employer Overview sees."""

from collections.abc import Sequence

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation, User
from domain import global_id
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from repositories.learner import users_of_learners, users_of_learners_at
from repositories.user import Allocation, allocations_of, grants_of_user, visible_keys
from resolvers.core.separation_of_duties import check_not_own_record
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.user import USER, UserState
from resolvers.user.invitation import UserChange

# In one mutation; more can be allocated with the next.
MAX_ALLOCATED = 100

# What a role is allocated, and the argument with the ids.
_ALLOCATED: dict[Role, tuple[type[Learner] | type[Employer], str]] = {
    Role.EMPLOYER_MANAGER: (Learner, "learnerIds"),
    Role.EMPLOYER_OVERVIEW: (Employer, "employerIds"),
}


@mutation("employerManagerAllocate")
async def manager_allocate(uow: UnitOfWork, *, user_id: str, learner_ids: Sequence[str]) -> UserChange:
    """Lets an Employer Manager see learners whom the viewer sees, all or none; repeating it changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED, INVALID where the user is not an Employer Manager, and CONFLICT
    for a learner who would manage themself or a manager who is also staff.
    """
    return await _allocate(uow, Role.EMPLOYER_MANAGER, user_id, learner_ids)


@mutation("employerManagerDeallocate")
async def manager_deallocate(uow: UnitOfWork, *, user_id: str, learner_ids: Sequence[str]) -> UserChange:
    """Removes learners from those that an Employer Manager sees, from the next request on."""
    return await _deallocate(uow, Role.EMPLOYER_MANAGER, user_id, learner_ids)


@mutation("employerOverviewAllocate")
async def overview_allocate(uow: UnitOfWork, *, user_id: str, employer_ids: Sequence[str]) -> UserChange:
    """Lets an Employer Overview see every learner of sites, all or none; repeating it changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED, INVALID where the user is not an Employer Overview, and CONFLICT
    for a site where the user is a learner or a user who is also staff.
    """
    return await _allocate(uow, Role.EMPLOYER_OVERVIEW, user_id, employer_ids)


@mutation("employerOverviewDeallocate")
async def overview_deallocate(uow: UnitOfWork, *, user_id: str, employer_ids: Sequence[str]) -> UserChange:
    """Removes sites from those that an Employer Overview sees, from the next request on."""
    return await _deallocate(uow, Role.EMPLOYER_OVERVIEW, user_id, employer_ids)


async def _allocate(uow: UnitOfWork, role: Role, user_id: str, ids: Sequence[str]) -> UserChange:
    user, keys = await _user_and_keys(uow, role, user_id, ids)
    archived, grants = user.archived_at is not None, await grants_of_user(uow.session, user.id)
    uow.add_errors(USER.errors(uow.action, uow.viewer, UserState(user.id), archived=archived, roles=grants))
    check_not_own_record(uow, user.id, await _learner_users(uow, role, keys), _ALLOCATED[role][1])
    uow.raise_errors()
    existing = await allocations_of(uow.session, role, user.id)
    added = [key for key in keys if key not in existing]
    uow.session.add_all(_allocation(uow, role, user, key) for key in added)
    _audit(uow, role, user, added)
    return _allocated(role, user, keys)


async def _learner_users(uow: UnitOfWork, role: Role, keys: list[int]) -> set[int]:
    """Returns the users whom the allocation would make visible."""
    if role is Role.EMPLOYER_MANAGER:
        return await users_of_learners(uow.session, keys)
    return await users_of_learners_at(uow.session, keys)


async def _deallocate(uow: UnitOfWork, role: Role, user_id: str, ids: Sequence[str]) -> UserChange:
    user, keys = await _user_and_keys(uow, role, user_id, ids)
    uow.raise_errors()
    existing = await allocations_of(uow.session, role, user.id)
    removed = [key for key in keys if key in existing]
    for key in removed:
        await uow.session.delete(existing[key])
    _audit(uow, role, user, removed)
    return _allocated(role, user, keys)


async def _user_and_keys(uow: UnitOfWork, role: Role, user_id: str, ids: Sequence[str]) -> tuple[User, list[int]]:
    """Returns the user, locked, and the keys of the ids, each once; records an error for each that is not visible."""
    entity, field = _ALLOCATED[role]
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    if not ids:
        uow.add_error(UserErrorCode.REQUIRED, say("NOTHING_CHOSEN"), field)
    if len(ids) > MAX_ALLOCATED:
        uow.add_error(UserErrorCode.INVALID, say("TOO_MANY_ALLOCATED", most=MAX_ALLOCATED), field)
        uow.raise_errors()
    keys = [global_id.decode(entity.type_name(), id) for id in ids]
    visible = await visible_keys(uow.session, uow.viewer, entity, [key for key in keys if key is not None])
    for index, key in enumerate(keys):
        if key not in visible:
            uow.add_not_found(field, str(index))
    if role is Role.EMPLOYER_MANAGER:
        uow.forbid_own_record(visible)
    return user, sorted({key for key in keys if key in visible})


def _allocated(role: Role, user: User, keys: list[int]) -> UserChange:
    return {"key": user.id, "learners": keys if role is Role.EMPLOYER_MANAGER else []}


def _allocation(uow: UnitOfWork, role: Role, user: User, key: int) -> Allocation:
    columns = {
        "user_id": user.id,
        "provider_id": user.provider_id,
        "allocated_by_id": uow.viewer.user_key,
        "allocated_at": uow.now,
    }
    if role is Role.EMPLOYER_MANAGER:
        return ManagerAllocation(learner_id=key, **columns)
    return OverviewAllocation(employer_id=key, **columns)


def _audit(uow: UnitOfWork, role: Role, user: User, keys: list[int]) -> None:
    if not keys:
        return
    if role is Role.EMPLOYER_MANAGER:
        # The allocation of one learner is shown in that learner's audit trail too.
        uow.audit("User", user.id, learner_id=keys[0] if len(keys) == 1 else None, learners=keys)
    else:
        uow.audit("User", user.id, employers=keys)
