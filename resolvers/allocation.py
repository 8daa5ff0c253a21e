"""Allocations: which learners an Employer Manager sees, and which sites an Employer Overview [000]."""

from collections.abc import Sequence
from typing import Any

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation, User
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import not_found
from repositories.people import allocated, grants_of, seen_keys
from repositories.scoped import TYPE_NAMES
from resolvers.core.unit_of_work import Change, writes
from resolvers.exports.labels import ROLE

# In one go; more can be allocated afterwards.
MOST_AT_ONCE = 100


@writes("employerManagerAllocate")
async def manager_allocate(change: Change, *, user_id: str, learner_ids: Sequence[str]) -> int:
    """Lets an Employer Manager see learners whom the viewer sees: all of them or none; again changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED, and INVALID where the user is no Employer Manager.
    """
    return await _allocate(change, Role.EMPLOYER_MANAGER, user_id, learner_ids)


@writes("employerManagerDeallocate")
async def manager_deallocate(change: Change, *, user_id: str, learner_ids: Sequence[str]) -> int:
    """Takes learners whom the viewer sees from an Employer Manager's sight, from the next request on."""
    return await _deallocate(change, Role.EMPLOYER_MANAGER, user_id, learner_ids)


@writes("employerOverviewAllocate")
async def overview_allocate(change: Change, *, user_id: str, employer_ids: Sequence[str]) -> int:
    """Lets an Employer Overview see every learner of sites: all of them or none; again changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED, and INVALID where the user is no Employer Overview.
    """
    return await _allocate(change, Role.EMPLOYER_OVERVIEW, user_id, employer_ids)


@writes("employerOverviewDeallocate")
async def overview_deallocate(change: Change, *, user_id: str, employer_ids: Sequence[str]) -> int:
    """Takes sites from an Employer Overview's sight, from the next request on."""
    return await _deallocate(change, Role.EMPLOYER_OVERVIEW, user_id, employer_ids)


async def _allocate(change: Change, role: Role, user_id: str, named: Sequence[str]) -> int:
    user, keys = await _read(change, role, user_id, named)
    if user.archived_at is not None or role not in await grants_of(change.session, user.id):
        message = f"This person is no {ROLE[role]}. Give them the role first (roleGrant)."
        change.fault(UserErrorCode.INVALID, message, "userId")
    change.check()
    missing = [key for key in keys if key not in await allocated(change.session, role, user.id)]
    by = {
        "user_id": user.id,
        "provider_id": user.provider_id,
        "allocated_by_id": change.viewer.user_key,
        "allocated_at": change.now,
    }
    for key in missing:
        change.session.add(
            ManagerAllocation(learner_id=key, **by)
            if role is Role.EMPLOYER_MANAGER
            else OverviewAllocation(employer_id=key, **by)
        )
    _record(change, role, user, missing)
    return user.id


async def _deallocate(change: Change, role: Role, user_id: str, named: Sequence[str]) -> int:
    user, keys = await _read(change, role, user_id, named)
    change.check()
    reached = await allocated(change.session, role, user.id)
    ending = [key for key in keys if key in reached]
    for key in ending:
        await change.session.delete(reached[key])
    _record(change, role, user, ending)
    return user.id


async def _read(change: Change, role: Role, user_id: str, named: Sequence[str]) -> tuple[User, list[int]]:
    """The user, locked, and the keys of the learners or employers, each once; notes what the viewer does not see."""
    entity, field = _what(role)
    user = await change.get(User, user_id, "userId")
    change.allow()
    if not named:
        change.fault(UserErrorCode.REQUIRED, "Name at least one.", field)
    if len(named) > MOST_AT_ONCE:
        change.fault(UserErrorCode.INVALID, f"Name at most {MOST_AT_ONCE} at once.", field)
        change.check()
    keys = [ids.decode(TYPE_NAMES[entity], id) for id in named]
    seen = await seen_keys(change.session, change.viewer, entity, [key for key in keys if key is not None])
    for place, key in enumerate(keys):
        if key not in seen:
            (fault,) = not_found(field, str(place)).faults
            change.fault(fault.code, fault.message, field, str(place))
    return user, sorted({key for key in keys if key in seen})


def _what(role: Role) -> tuple[Any, str]:
    """What a role is allocated, and the argument that names it."""
    return (Learner, "learnerIds") if role is Role.EMPLOYER_MANAGER else (Employer, "employerIds")


def _record(change: Change, role: Role, user: User, keys: list[int]) -> None:
    if not keys:
        return
    if role is Role.EMPLOYER_MANAGER:
        # One learner's allocation stands in that learner's own trail too.
        change.record("User", user.id, learner_id=keys[0] if len(keys) == 1 else None, learners=keys)
    else:
        change.record("User", user.id, employers=keys)
