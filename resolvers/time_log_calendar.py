"""The time log by day, for a calendar."""

import datetime as dt
from collections.abc import Awaitable
from typing import Any

from domain.errors import BadArgument
from loaders.time_log_entry import CalendarLoader, TimeLogDayRow
from resolvers.core.context import Context

# A year, also a leap year.
MAX_DAYS = 366


def time_log_calendar(
    context: Context, learner_key: int, begins: dt.date, ends: dt.date, **filters: Any
) -> Awaitable[list[TimeLogDayRow]]:
    """Returns the days of a period on which time was logged; `filters` are those of the time log.

    Raises BadArgument for a period of more than a year.
    """
    if ends < begins:
        raise BadArgument("to", "The last day is before the first day. Give the first day or a later one.")
    if (ends - begins).days >= MAX_DAYS:
        raise BadArgument("to", f"A calendar shows up to {MAX_DAYS} days. Give an earlier day.")
    filters["from_"] = max(begins, filters.get("from_") or begins)
    filters["to"] = min(ends, filters.get("to") or ends)
    given = tuple(sorted((name, value) for name, value in filters.items() if value is not None))
    return context.loaders.get(CalendarLoader, given).load(learner_key)
