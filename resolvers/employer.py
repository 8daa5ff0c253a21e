"""Adds and changes employers; a site is below its head office."""

from typing import TypedDict, Unpack

from db.models.employer import Employer
from domain import global_id
from domain.enums import UserErrorCode
from domain.sentences import say
from repositories.employer import MAX_DEPTH, employer_and_ancestors, employer_name_taken, levels_below
from repositories.provider import lock_provider
from resolvers.core.changes import assign
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line


class EmployerChanges(TypedDict, total=False):
    """The changes of an employer: a missing `parent_id` is not changed, None makes it a head office."""

    name: str
    parent_id: str | None


@mutation("employerCreate")
async def create(uow: UnitOfWork, *, name: str, parent_id: str | None = None) -> int:
    """Adds an employer: a site of its parent, or a head office. Returns its key.

    Rejects with NOT_ALLOWED, REQUIRED or INVALID for the fields, NOT_FOUND for the parent, and CONFLICT where the
    parent has a site of that name.
    """
    uow.authorize()
    provider = await lock_provider(uow.session, uow.viewer.provider_key)
    name = single_line(uow, name, "input", "name")
    parent = None if parent_id is None else await require_entity(uow, Employer, parent_id, "input", "parentId")
    parent_key = parent.id if parent else None
    if parent is not None:
        _check_depth(uow, await employer_and_ancestors(uow.session, parent.id), 1)
    if parent is not None or parent_id is None:
        await _check_name(uow, name, parent_key, None)
    uow.raise_errors()
    employer = Employer(provider_id=provider.id, name=name, parent_id=parent_key, created_at=uow.now)
    uow.session.add(employer)
    await uow.session.flush()
    # No learner works there yet.
    uow.audit("Employer", employer.id, notify=False)
    return employer.id


@mutation("employerUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[EmployerChanges]) -> int:
    """Renames an employer, or moves it with its sites. Rejects as `create` does, and with INVALID for a cycle."""
    employer = await uow.get(Employer, id, "id", locked=False)
    uow.authorize()
    await lock_provider(uow.session, uow.viewer.provider_key)
    await uow.session.refresh(employer)
    name = single_line(uow, changes["name"], "input", "name")
    found, parent_key = True, employer.parent_id
    if "parent_id" in changes:
        found, parent_key = await _parse_parent(uow, employer, changes["parent_id"])
    if found:
        await _check_name(uow, name, parent_key, employer.id)
    uow.raise_errors()
    values = {"name": name, "parent_id": parent_key}
    changed = assign(employer, values)
    if changed:
        uow.audit("Employer", employer.id, fields=changed)
    return employer.id


async def _parse_parent(uow: UnitOfWork, employer: Employer, id: str | None) -> tuple[bool, int | None]:
    """Returns whether the new parent exists, and its key; records an error where it cannot be the parent."""
    if id is None:
        return True, None
    if global_id.decode("Employer", id) == employer.parent_id:
        return True, employer.parent_id
    parent = await require_entity(uow, Employer, id, "input", "parentId")
    if parent is None:
        return False, None
    above = await employer_and_ancestors(uow.session, parent.id)
    if employer.id in above:
        message = say("EMPLOYER_BELOW_ITSELF")
        uow.add_error(UserErrorCode.INVALID, message, "input", "parentId")
    else:
        _check_depth(uow, above, await levels_below(uow.session, employer.id))
    return True, parent.id


def _check_depth(uow: UnitOfWork, above: list[int], levels: int) -> None:
    if len(above) + levels > MAX_DEPTH:
        message = say("EMPLOYER_TOO_DEEP", most=MAX_DEPTH)
        uow.add_error(UserErrorCode.INVALID, message, "input", "parentId")


async def _check_name(uow: UnitOfWork, name: str, parent_key: int | None, excluding: int | None) -> None:
    if await employer_name_taken(uow.session, uow.viewer.provider_key, name, parent_key, excluding):
        message = say("HEAD_OFFICE_NAME_TAKEN" if parent_key is None else "SITE_NAME_TAKEN")
        uow.add_error(UserErrorCode.CONFLICT, message, "input", "name")
