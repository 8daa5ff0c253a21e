"""Numbers of days: days are counted from 1 January 2000, so that intervals are differences and both databases agree.

`db/sql/day_number.py` has the same numbers as SQL.
"""

import datetime as dt

# The day 0. A person means no earlier day (`domain.clock.is_plausible`).
FIRST_DAY = dt.date(2000, 1, 1)
# Later than any day that a person means: where there is none, as a day and as a number.
NO_DAY = dt.date(9999, 1, 1)
NO_DAY_NUMBER = 10_000_000


def day_number(day: dt.date) -> int:
    """Returns the number of days from 1 January 2000 to the day."""
    return (day - FIRST_DAY).days


def day_of_number(number: int) -> dt.date:
    """Returns the day with that number."""
    return FIRST_DAY + dt.timedelta(days=number)
