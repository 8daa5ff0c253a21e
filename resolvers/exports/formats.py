"""Media types of exports, and how they write dates, percentages and states: the words, and a state's colour."""

import datetime as dt

from domain.clock import LONDON, day_of
from domain.enums import CriterionFilter, CriterionStatus, TrafficLight
from services.storage.upload_rules import clean_name

Mark = dict[str, str]

PDF = "application/pdf"
ZIP = "application/zip"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

FILTER = {
    CriterionFilter.ALL: "All criteria",
    CriterionFilter.NON_COMPLETED: "What is left to do: criteria not started or in progress",
}


def mark(word: str, tone: str, fill: str) -> Mark:
    """Returns a coloured word: `tone` is red, orange, green, blue or grey, `fill` of its dot is empty, half or full."""
    return {"word": word, "tone": tone, "fill": fill}


CRITERION = {
    CriterionStatus.NOT_STARTED: mark("Not started", "red", "empty"),
    CriterionStatus.IN_PROGRESS: mark("In progress", "orange", "half"),
    CriterionStatus.SIGNED_OFF: mark("Signed off", "green", "full"),
}
# Amber, printed in orange, is on track, and green is ahead: not the usual meaning of a traffic light.
TRAFFIC_LIGHT = {
    TrafficLight.OFF_TRACK: mark("Off track", "red", "empty"),
    TrafficLight.ON_TRACK: mark("On track", "orange", "half"),
    TrafficLight.AHEAD: mark("Ahead", "green", "full"),
    TrafficLight.NOT_RATED: mark("Not rated", "grey", "empty"),
}


def day(date: dt.date | None) -> str:
    """Returns "21 November 2026"; an empty text for None."""
    return f"{date.day} {date:%B %Y}" if date else ""


def short_day(date: dt.date | None) -> str:
    """Returns "21 Nov 2026"; an empty text for None."""
    return f"{date.day} {date:%b %Y}" if date else ""


def moment(at: dt.datetime) -> str:
    """Returns "21 November 2026 at 20:36", the time in London."""
    local = at.astimezone(LONDON)
    return f"{day(local.date())} at {local:%H:%M}"


def file_name(learner: str, what: str, at: dt.datetime, ending: str) -> str:
    """Returns the name of a download: "Maya Thornton - Time log - 2026-11-21.xlsx", the day in London."""
    return clean_name(f"{learner[:80]} - {what[:80]} - {day_of(at).isoformat()}{ending}")


def hours(minutes: int) -> str:
    """Returns "41 h 30 min", or "41 h" for whole hours."""
    whole, rest = divmod(minutes, 60)
    return f"{whole} h {rest} min" if rest else f"{whole} h"


def percent(value: float) -> str:
    """Returns "41.7%", or "50%" for a whole number."""
    return f"{value:.1f}".removesuffix(".0") + "%"
