"""Moments of other days at this time of day in London, which is the same day there on either side of a clock change."""

import datetime as dt

from domain import clock


def days_from_now(days: int) -> dt.datetime:
    """Returns the moment, in UTC, when clocks in London show what they show now, so many days later."""
    return (clock.now().astimezone(clock.LONDON) + dt.timedelta(days=days)).astimezone(dt.UTC)
