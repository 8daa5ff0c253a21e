"""Employers: read in pages, with their learners; created and changed."""

from collections.abc import Awaitable
from typing import TypedDict

from db.models.employer import Employer
from domain import global_id as ids
from domain.enums import LearnerOrder, TrafficLight, UserErrorCode
from loaders.core.pagination import Page
from loaders.core.viewer_list import read_page
from loaders.employer import EMPLOYERS, EmployerRow
from loaders.learner import LearnerRow
from repositories.people import DEEPEST, has_namesake, height, lock_provider, way_up
from resolvers.core.context import Context
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import line, named
from resolvers.learner import asked_for


async def page(
    context: Context, *, search: str | None, first: int, after: str | None, counted: bool
) -> Page[EmployerRow]:
    """A page of the employers that the viewer sees, by name. Raises BadArgument for a page or cursor that cannot be."""
    return await read_page(context.loaders.reading, EMPLOYERS, first, after, counted, {"search": search or None})


def learners(
    context: Context,
    employer_key: int,
    order_by: LearnerOrder,
    first: int,
    after: str | None,
    **filters: str | bool | TrafficLight | None,
) -> Awaitable[Page[LearnerRow]]:
    """A page of one employer's learners whom the viewer sees, read together with those of its neighbours."""
    return context.loaders.learners_of_employer(asked_for(**filters), order_by, first, after).load(employer_key)


class EmployerChanges(TypedDict, total=False):
    """What a change of an employer sets; without `parent_id` it stays where it is, None makes it a head office."""

    name: str
    parent_id: str | None


@writes("employerCreate")
async def create(change: Change, *, name: str, parent_id: str | None = None) -> int:
    """Adds an employer: a site of its parent, or a head office.

    Refuses with NOT_ALLOWED, REQUIRED or INVALID for the fields, NOT_FOUND for the parent, and CONFLICT where the
    parent has a site of that name.
    """
    change.allow()
    provider = await lock_provider(change.session, change.viewer.provider_key)
    name = line(change, name, "input", "name")
    parent = None if parent_id is None else await named(change, Employer, parent_id, "input", "parentId")
    if parent is not None:
        _check_depth(change, await way_up(change.session, parent.id), 1)
    if parent is not None or parent_id is None:
        await _check_name(change, name, parent and parent.id, None)
    change.check()
    employer = Employer(provider_id=provider.id, name=name, parent_id=parent and parent.id, created_at=change.now)
    change.session.add(employer)
    await change.session.flush()
    change.record("Employer", employer.id)
    return employer.id


@writes("employerUpdate")
async def update(change: Change, *, id: str, changes: EmployerChanges) -> int:
    """Renames an employer, or moves it with its sites. Refuses as `create` does, and with INVALID for a circle."""
    employer = await change.get(Employer, id, "id", locked=False)
    change.allow()
    await lock_provider(change.session, change.viewer.provider_key)
    await change.session.refresh(employer)
    name = line(change, changes["name"], "input", "name")
    parent_key = employer.parent_id
    there = True
    if "parent_id" in changes:
        there, parent_key = await _new_parent(change, employer, changes["parent_id"])
    if there:
        await _check_name(change, name, parent_key, employer.id)
    change.check()
    fields = {"name": name, "parent_id": parent_key}
    changed = [field for field, value in fields.items() if getattr(employer, field) != value]
    for field in changed:
        setattr(employer, field, fields[field])
    if changed:
        change.record("Employer", employer.id, fields=changed)
    return employer.id


async def _new_parent(change: Change, employer: Employer, id: str | None) -> tuple[bool, int | None]:
    """Whether the parent that is asked for is there, and its key; notes where it cannot be one."""
    if id is None:
        return True, None
    if ids.decode("Employer", id) == employer.parent_id:
        return True, employer.parent_id
    parent = await named(change, Employer, id, "input", "parentId")
    if parent is None:
        return False, None
    above = await way_up(change.session, parent.id)
    if employer.id in above:
        message = "An employer cannot stand below itself. Choose a parent that is not one of its own sites."
        change.fault(UserErrorCode.INVALID, message, "input", "parentId")
    else:
        _check_depth(change, above, await height(change.session, employer.id))
    return True, parent.id


def _check_depth(change: Change, above: list[int], levels: int) -> None:
    if len(above) + levels > DEEPEST:
        message = f"Employers hang together in {DEEPEST} levels at most. Choose a parent further up."
        change.fault(UserErrorCode.INVALID, message, "input", "parentId")


async def _check_name(change: Change, name: str, parent_key: int | None, but: int | None) -> None:
    if await has_namesake(change.session, change.viewer.provider_key, name, parent_key, but):
        where = "a head office" if parent_key is None else "a site of this employer"
        message = f"There is {where} of this name already. Use that one, or choose another name."
        change.fault(UserErrorCode.CONFLICT, message, "input", "name")
