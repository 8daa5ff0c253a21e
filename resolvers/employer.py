"""Employers: read in pages, with their learners; created and changed."""

from typing import TypedDict, Unpack

from db.models.employer import Employer
from domain import global_id as ids
from domain.enums import UserErrorCode
from repositories.people import DEEPEST, ancestors, employer_name_taken, height, lock_provider
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line


class EmployerChanges(TypedDict, total=False):
    """What a change of an employer sets; without `parent_id` it stays where it is, None makes it a head office."""

    name: str
    parent_id: str | None


@mutation("employerCreate")
async def create(uow: UnitOfWork, *, name: str, parent_id: str | None = None) -> int:
    """Adds an employer: a site of its parent, or a head office.

    Refuses with NOT_ALLOWED, REQUIRED or INVALID for the fields, NOT_FOUND for the parent, and CONFLICT where the
    parent has a site of that name.
    """
    uow.authorize()
    provider = await lock_provider(uow.session, uow.viewer.provider_key)
    name = single_line(uow, name, "input", "name")
    parent = None if parent_id is None else await require_entity(uow, Employer, parent_id, "input", "parentId")
    if parent is not None:
        _check_depth(uow, await ancestors(uow.session, parent.id), 1)
    if parent is not None or parent_id is None:
        await _check_name(uow, name, parent and parent.id, None)
    uow.raise_errors()
    employer = Employer(provider_id=provider.id, name=name, parent_id=parent and parent.id, created_at=uow.now)
    uow.session.add(employer)
    await uow.session.flush()
    uow.audit("Employer", employer.id)
    return employer.id


@mutation("employerUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[EmployerChanges]) -> int:
    """Renames an employer, or moves it with its sites. Refuses as `create` does, and with INVALID for a circle."""
    employer = await uow.get(Employer, id, "id", locked=False)
    uow.authorize()
    await lock_provider(uow.session, uow.viewer.provider_key)
    await uow.session.refresh(employer)
    name = single_line(uow, changes["name"], "input", "name")
    parent_key = employer.parent_id
    there = True
    if "parent_id" in changes:
        there, parent_key = await _new_parent(uow, employer, changes["parent_id"])
    if there:
        await _check_name(uow, name, parent_key, employer.id)
    uow.raise_errors()
    fields = {"name": name, "parent_id": parent_key}
    changed = [field for field, value in fields.items() if getattr(employer, field) != value]
    for field in changed:
        setattr(employer, field, fields[field])
    if changed:
        uow.audit("Employer", employer.id, fields=changed)
    return employer.id


async def _new_parent(uow: UnitOfWork, employer: Employer, id: str | None) -> tuple[bool, int | None]:
    """Whether the parent that is asked for is there, and its key; notes where it cannot be one."""
    if id is None:
        return True, None
    if ids.decode("Employer", id) == employer.parent_id:
        return True, employer.parent_id
    parent = await require_entity(uow, Employer, id, "input", "parentId")
    if parent is None:
        return False, None
    above = await ancestors(uow.session, parent.id)
    if employer.id in above:
        message = "An employer cannot stand below itself. Choose a parent that is not one of its own sites."
        uow.add_error(UserErrorCode.INVALID, message, "input", "parentId")
    else:
        _check_depth(uow, above, await height(uow.session, employer.id))
    return True, parent.id


def _check_depth(uow: UnitOfWork, above: list[int], levels: int) -> None:
    if len(above) + levels > DEEPEST:
        message = f"Employers hang together in {DEEPEST} levels at most. Choose a parent further up."
        uow.add_error(UserErrorCode.INVALID, message, "input", "parentId")


async def _check_name(uow: UnitOfWork, name: str, parent_key: int | None, but: int | None) -> None:
    if await employer_name_taken(uow.session, uow.viewer.provider_key, name, parent_key, but):
        where = "a head office" if parent_key is None else "a site of this employer"
        message = f"There is {where} of this name already. Use that one, or choose another name."
        uow.add_error(UserErrorCode.CONFLICT, message, "input", "name")
