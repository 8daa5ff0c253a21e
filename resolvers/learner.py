"""Learners: read by id and in pages."""

from db import ids
from db.enums import LearnerOrder, TrafficLight
from loaders import learner
from loaders.learner import LearnerRow, LearnersAsked
from loaders.page import Page
from resolvers.context import Context


async def page(
    context: Context,
    *,
    search: str | None = None,
    employer_id: str | None = None,
    assessor_id: str | None = None,
    traffic_light: TrafficLight | None = None,
    past_planned_end: bool | None = None,
    order_by: LearnerOrder = LearnerOrder.NAME_ASC,
    first: int = 20,
    after: str | None = None,
    counted: bool = False,
) -> Page[LearnerRow]:
    """A page of the learners that the viewer sees. Raises BadArgument for a page or cursor that cannot be."""
    asked = asked_for(search, employer_id, assessor_id, traffic_light, past_planned_end)
    return await learner.read_page(context.loaders.reading, asked, order_by, first, after, counted)


def asked_for(
    search: str | None = None,
    employer_id: str | None = None,
    assessor_id: str | None = None,
    traffic_light: TrafficLight | None = None,
    past_planned_end: bool | None = None,
) -> LearnersAsked:
    """The filters as keys and values."""
    return LearnersAsked(
        search=search or None,
        # An id that names nothing finds nothing: 0 is nobody's key.
        employer_key=None if employer_id is None else ids.decode("Employer", employer_id) or 0,
        assessor_key=None if assessor_id is None else ids.decode("User", assessor_id) or 0,
        traffic_light=traffic_light,
        past_planned_end=past_planned_end,
    )
