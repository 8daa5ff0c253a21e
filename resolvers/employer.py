"""Employers: read in pages, with their learners."""

from collections.abc import Awaitable

from db.enums import LearnerOrder, TrafficLight
from loaders.employer import EMPLOYERS, EmployerRow
from loaders.learner import LearnerRow
from loaders.page import Page
from loaders.viewer_list import read_page
from resolvers.context import Context
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
