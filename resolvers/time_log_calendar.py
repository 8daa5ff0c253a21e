"""The time log day by day: the Calendar View."""

import datetime as dt
from collections.abc import Awaitable
from typing import Any

from domain.errors import BadArgument
from loaders.time_log_entry import CalendarLoader, TimeLogDayRow
from resolvers.core.context import Context

# Days that one calendar shows at most: a year, whichever.
LONGEST_CALENDAR = 366


def time_log_calendar(
    context: Context, learner_key: int, begins: dt.date, ends: dt.date, **filters: Any
) -> Awaitable[list[TimeLogDayRow]]:
    """The days in between on which something was logged; `filters` are those of the time log.

    Raises BadArgument for a calendar of more than a year.
    """
    if ends < begins:
        raise BadArgument("to", "The calendar ends before it begins.")
    if (ends - begins).days >= LONGEST_CALENDAR:
        raise BadArgument("to", f"A calendar shows at most {LONGEST_CALENDAR} days.")
    filters["from_"] = max(begins, filters.get("from_") or begins)
    filters["to"] = min(ends, filters.get("to") or ends)
    given = tuple(sorted((name, value) for name, value in filters.items() if value is not None))
    return context.loaders.get(CalendarLoader, given).load(learner_key)
