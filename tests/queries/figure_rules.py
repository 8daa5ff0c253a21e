"""The rules behind the figures in plain Python, independent of the product's."""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo


def tenth(value: Decimal | int) -> Decimal:
    """Rounds to one decimal, half up."""
    return Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_UP)


def percent(part: int, whole: int) -> Decimal:
    """Returns `part` of `whole` in percent, to one decimal: 0 only for nothing, 100 only for all."""
    if part <= 0 or whole <= 0 or part >= whole:
        return tenth(100 if whole > 0 and part >= whole else 0)
    return min(max(tenth(Decimal(100 * part) / whole), Decimal("0.1")), Decimal("99.9"))


def required_minutes(hours: int, floor: int, prior: int, english: bool) -> int:
    """Returns the required minutes: none of English and mathematics, else those of the rule less prior learning."""
    return 0 if english else max(hours * 60 - prior, min(floor, hours) * 60, 0)


def london(moment: dt.datetime) -> dt.date:
    """Returns the day in London."""
    return moment.astimezone(ZoneInfo("Europe/London")).date()


@dataclass(frozen=True)
class Aim:
    """One aim that is not withdrawn, with its criteria counted one by one."""

    id: int
    learner: int
    employer: int
    qualification: int
    status: str
    start: dt.date
    end: dt.date
    # Required off-the-job minutes after prior learning.
    required: int
    total: int
    mapped: int
    signed_off: int
    # Optional units still to choose; 0 or less if there are enough.
    to_choose: int
    today: dt.date
    tolerance: Decimal
    # The first day of each break and the day of return.
    breaks: tuple[tuple[dt.date, dt.date | None], ...]

    @property
    def duration(self) -> Decimal:
        """The duration percentage (the blue bar)."""
        return percent(*self.days)

    @property
    def days(self) -> tuple[int, int]:
        """The days that have passed and the planned days, those of breaks left out of both."""
        away = on_break([self], self.start, min(self.today, self.end))
        return (min(self.today, self.end) - self.start).days + 1 - away, (self.end - self.start).days + 1 - away

    @property
    def ahead(self) -> Decimal:
        """The mapped percentage less the duration percentage."""
        return reached([self])[0] - self.duration

    @property
    def light(self) -> str:
        """The traffic light; the demo's providers rate an aim from its first day."""
        if self.status != "IN_TRAINING" or not self.total:
            return "NOT_RATED"
        if self.ahead <= -self.tolerance:
            return "OFF_TRACK"
        return "AHEAD" if self.ahead >= self.tolerance else "ON_TRACK"

    @property
    def late(self) -> bool:
        """Whether the aim is past its planned end, not finished and not on a break."""
        return self.today > self.end and self.status not in ("COMPLETED", "WITHDRAWN", "SUSPENDED")

    @property
    def expected_minutes(self) -> int:
        """The required minutes that should have been logged by today."""
        elapsed, days = self.days
        elapsed = max(elapsed, 0)
        required = self.required
        if elapsed in (0, days) or not required:
            return required if elapsed else 0
        share = int((Decimal(required * elapsed) / days).quantize(Decimal(1), ROUND_HALF_UP))
        return min(max(share, 1), required - 1)


def reached(aims: list[Aim]) -> list[Decimal]:
    """Returns the mapped and the signed-off percentage of the aims' criteria together."""
    total, most = sum(aim.total for aim in aims), Decimal("99.9" if any(aim.to_choose > 0 for aim in aims) else 100)
    counts = sum(aim.mapped for aim in aims), sum(aim.signed_off for aim in aims)
    return [min(percent(count, total), most) for count in counts]


def on_break(aims: list[Aim], first: dt.date, last: dt.date) -> int:
    """Counts the days from the first to the last on which every aim is on a break, one by one."""
    days = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    return sum(
        all(
            any(start <= day and (not back or day < back) for start, back in aim.breaks)
            for aim in aims
            if aim.start <= day
        )
        and any(aim.start <= day for aim in aims)
        for day in days
    )
