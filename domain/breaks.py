"""Breaks in learning: their days count in no duration (docs/behaviours.md). Days are days in London.

A break runs from its first day to the day before the return. `db/sql/breaks.py` has the same rules as SQL.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.progress import days_counted

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BreakPeriod:
    """The first day of a break, and the day of the return; None while the learner is away."""

    start: dt.date
    returned: dt.date | None

    def days_within(self, first: dt.date, last: dt.date) -> int:
        """Returns how many of its days lie between two days, both included."""
        end = last if self.returned is None else min(self.returned - _DAY, last)
        return max(days_counted(max(self.start, first), end), 0)

    def as_of(self, day: dt.date) -> "BreakPeriod":
        """Returns the break as it was known on a day: without a return that is later."""
        is_back = self.returned is not None and self.returned <= day
        return BreakPeriod(self.start, self.returned if is_back else None)

    def includes(self, day: dt.date) -> bool:
        """Returns whether a day belongs to the break."""
        return self.start <= day and (self.returned is None or day < self.returned)

    def overlaps(self, other: "BreakPeriod") -> bool:
        """Returns whether the two share a day, or begin on the same one."""
        ends_before = self.returned is not None and self.returned <= other.start
        begins_after = other.returned is not None and other.returned <= self.start
        return self.start == other.start or not (ends_before or begins_after)


def days_within(breaks: Iterable[BreakPeriod], first: dt.date, last: dt.date) -> int:
    """Returns how many days between two days, both included, belong to breaks of one aim."""
    return sum(each.days_within(first, last) for each in breaks)


def break_sums(breaks: Sequence[BreakPeriod], start: dt.date, planned_end: dt.date) -> tuple[int, dt.date | None]:
    """Returns what is stored of the breaks of an aim, whose days `domain.progress.days_on_break` completes.

    The days of those that have ended, between start and planned end, and the first day of the one that has not.
    """
    ended = [each for each in breaks if each.returned is not None]
    since = min((each.start for each in breaks if each.returned is None), default=None)
    return days_within(ended, start, planned_end), since


def format_periods(breaks: Iterable[BreakPeriod]) -> str | None:
    """Returns the breaks as text, in order: `2026-04-01/2026-09-28 2027-01-04/`; None if there are none."""
    ordered = sorted(breaks, key=lambda each: each.start)
    return " ".join(f"{each.start}/{each.returned or ''}" for each in ordered) or None


def parse_periods(text: str | None) -> list[BreakPeriod]:
    """Returns the breaks of a text that `format_periods` wrote."""
    pairs = [period.split("/") for period in (text or "").split()]
    parse = dt.date.fromisoformat
    return [BreakPeriod(parse(start), parse(returned) if returned else None) for start, returned in pairs]


@dataclass(frozen=True, slots=True)
class AimSpan:
    """The days of one aim: its start, the day on which it ended (None while it is open), and its breaks."""

    start: dt.date
    ended: dt.date | None
    breaks: Sequence[BreakPeriod]

    def runs_on(self, day: dt.date) -> bool:
        """Returns whether the aim had begun and had not ended before that day."""
        return self.start <= day and (self.ended is None or day <= self.ended)


def days_of_programme(aims: Sequence[AimSpan], first: dt.date, last: dt.date) -> int:
    """Returns how many days between two days, both included, belong to a break of every aim that runs on that day."""
    days = {
        start + number * _DAY
        for aim in aims
        for each in aim.breaks
        for start in [max(each.start, first)]
        for number in range(each.days_within(first, last))
    }
    return sum(
        all(any(each.includes(day) for each in aim.breaks) for aim in aims if aim.runs_on(day))
        and any(aim.runs_on(day) for aim in aims)
        for day in days
    )
