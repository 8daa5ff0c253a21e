"""How long things take, by group: evidence until it is decided on, documents until they are signed."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from resolvers import figures
from schema.enums import KpiGroupBy
from schema.field_builders import Info, attribute, resolved
from schema.relay import Node, value
from schema.types.figures import FilterArgument, KpiFilter, conditions


@value(
    figures.TurnaroundGroupRow,
    "How long evidence and signatures of one group of aims took in a period. Evidence is in the group of its aim; a "
    "document to sign is about a learner, and is in the group of each of the learner's aims.",
)
class Turnaround:
    key: str = attribute("The id of the subject; a month as YYYY-MM; or NONE for what belongs to no group.")
    label: str = attribute("The name of the group, to show to people.")
    subject: Node | None = attribute("The employer, assessor or qualification; null for a month and for NONE.")
    decided_count: int = attribute("Submissions and resubmissions that were assessed or returned in the period.")
    returned_count: int = attribute("Those of them that were returned with points for improvement.")
    returned_percent: float = attribute("`returnedCount` as a percentage of `decidedCount`, to one decimal; 0 if none.")
    mean_days_to_assess: float | None = attribute(
        "The mean of the days from a submission to the first decision on it, to one decimal; null if there was none."
    )
    waiting_count: int = attribute("Evidence that waits for its assessment now.")
    signed_count: int = attribute("Signatures on documents that were given in the period and stand.")
    mean_days_to_sign: float | None = attribute(
        "The mean of the days from the request of a document to each of these signatures, to one decimal; null if "
        "there was none."
    )
    unsigned_count: int = attribute("Signatures on documents that are missing now.")


def _turnaround(viewer: Any, info: Info, by: KpiGroupBy, from_: dt.date, to: dt.date, filter: KpiFilter | None) -> Any:
    return figures.turnaround_of_groups(info.context, by, from_, to, conditions(filter))


TURNAROUND = resolved(
    "How long evidence waited, how much was returned and how long signatures took in a period, by group, by name, at "
    "most 1,000 groups. Groups in which nothing is counted are left out.",
    _turnaround,
    other_rows=figures.NAMES_READ,
    by=Annotated[KpiGroupBy, strawberry.argument(description="What to group by.")],
    from_=Annotated[dt.date, strawberry.argument(name="from", description="The first day of the period.")],
    to=Annotated[dt.date, strawberry.argument(description="The last day of the period.")],
    filter=FilterArgument,
)
