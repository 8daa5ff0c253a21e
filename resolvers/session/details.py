"""Checks of what a session is booked with: its times, its location and its notes."""

import datetime as dt

from domain.enums import UserErrorCode
from domain.sentences import say
from repositories.session import MAX_SESSION_LENGTH
from resolvers.core.unit_of_work import UnitOfWork
from resolvers.core.validation import multi_line, optional_line

# A session of the past can be added within a year. A start more than five years ahead is a typing error.
_MAX_AGE = dt.timedelta(days=366)
_MAX_LEAD = dt.timedelta(days=5 * 366)


def location_of(uow: UnitOfWork, location: str | None) -> str | None:
    """Returns the location as one line; None if it is empty."""
    return optional_line(uow, location, "input", "location")


def notes_of(uow: UnitOfWork, notes: str | None) -> str | None:
    """Returns the planning notes; None if they are empty."""
    return multi_line(uow, notes or "", "input", "planningNotes", required=False) or None


def check_times(uow: UnitOfWork, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
    """Returns whether a session can have these times; else records what is wrong."""
    if not uow.now - _MAX_AGE <= starts_at <= uow.now + _MAX_LEAD:
        field, message = "startsAt", say("SESSION_START_OUT_OF_RANGE")
    elif ends_at <= starts_at:
        field, message = "endsAt", say("SESSION_ENDS_BEFORE_START")
    elif ends_at - starts_at > MAX_SESSION_LENGTH:
        field, message = "endsAt", say("SESSION_TOO_LONG")
    else:
        return True
    uow.add_error(UserErrorCode.INVALID, message, "input", field)
    return False
