"""When a formal progress review is due (docs/behaviours.md, number 18). Days are days in London."""

import calendar
import datetime as dt
from collections.abc import Iterable

from domain.clock import weeks_after
from domain.enums import ReviewBooking

# The apprenticeship funding rules: aims that started before this day are reviewed every 12 weeks, later ones by the end
# of the third calendar month after the last review.
MONTHLY_FROM = dt.date(2025, 8, 1)
STANDARD_WEEKS, STANDARD_MONTHS = 12, 3
# The review in which learner, assessor and employer discuss progress.
STANDARD_SIGNATURES = ("LEARNER", "ASSESSOR", "EMPLOYER_MANAGER")
SOURCE = (
    "Apprenticeship funding rules: every 12 weeks for aims that started before 1 August 2025; for later ones by the "
    "end of the third calendar month after the last review."
)


def months_later(day: dt.date, months: int) -> dt.date:
    """Returns the same day so many months later, or the last day of a shorter month, or of the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return dt.date.max
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of_month(day: dt.date) -> dt.date:
    """Returns the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def due_after(base: dt.date, started: dt.date, weeks: int, months: int) -> dt.date | None:
    """Returns the day by which an aim's next review is due after `base`: the last review, or its start without one.

    None if the calendar ends before it. `weeks` and `months` are the provider's settings: weeks other than 12 hold for
    every aim.
    """
    if weeks != STANDARD_WEEKS or started < MONTHLY_FROM:
        return weeks_after(base, weeks)
    return end_of_month(months_later(base, months))


def review_due(
    last: dt.date | None, starts: Iterable[dt.date], returned: dt.date | None, weeks: int, months: int
) -> dt.date | None:
    """Returns the day by which a learner's next review is due: the earliest of the aims in training; None without one.

    `last` is the day of the last review. `returned` is the day on which the learner came back from a break of every aim
    in training: the review is then due a month later at the earliest.
    """
    days = (due_after(last or start, start, weeks, months) for start in starts)
    due = min((day for day in days if day is not None), default=None)
    if due is not None and returned is not None and (last is None or last < returned):
        return max(due, months_later(returned, 1))
    return due


def review_booking(due: dt.date | None, booked: dt.date | None) -> ReviewBooking | None:
    """Returns whether the next review is booked for a day up to the due one; None where none is due."""
    if due is None:
        return None
    if booked is None:
        return ReviewBooking.NOT_BOOKED
    return ReviewBooking.BOOKED if booked <= due else ReviewBooking.BOOKED_TOO_LATE
