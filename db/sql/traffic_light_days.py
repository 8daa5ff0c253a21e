"""The days on which an aim's traffic light changes while nothing else does, as SQL.

`tests/db/test_history_days.py` compares them with `domain.progress` day by day.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, case, cast, func, literal

from db.models.provider import Provider
from db.sql.day_number import day_number
from db.sql.progress import days_counted, mapped_tenths, quotient
from domain.enums import AimStatus
from domain.progress import NEVER_LATE

_TOLERANCE = cast(func.round(Provider.traffic_light_tolerance * 10), Integer)
_RATED_FROM = cast(func.round(Provider.rated_from_percent * 10), Integer)


def days_of_light_changes(aim: Any, sums: Any) -> dict[str, Any]:
    """Returns the columns of `AimHistory` about days to come, for the provider's settings of now.

    `aim` has the dates and the status, `sums` the counts; the statement joins the provider. The days of a break that
    has not ended need no care, because an aim on a break has no light.
    """
    mapped = mapped_tenths(sums.criteria_mapped, sums.criteria_total, sums.units_to_choose)
    rated = and_(aim.status == AimStatus.IN_TRAINING, sums.criteria_total > 0)

    def when(condition: Any, tenths: Any) -> Any:
        return case((condition, _first_day_of(tenths, aim, sums.days_on_break)))

    return {
        "rated_from": when(rated, _RATED_FROM),
        "on_track_from": when(rated, mapped - _TOLERANCE + 1),
        "off_track_from": when(rated, mapped + _TOLERANCE),
        "late_from": case((aim.status.not_in(NEVER_LATE), day_number(aim.planned_end_date) + 1)),
    }


def _first_day_of(tenths: Any, aim: Any, on_break: Any) -> ColumnElement[int]:
    """The first day on which the duration is at least that many tenths of a percent: the reverse of
    `domain.progress.duration_tenths`; NULL if there is none, 0 if every day is one."""
    whole = days_counted(aim.start_date, aim.planned_end_date) - on_break
    # A share of `tenths` is reached from half a tenth below it, because shares are rounded half up.
    days = quotient(literal(1, BigInteger) * whole * (2 * tenths - 1) + 1999, literal(2000))
    elapsed = case((tenths <= 1, 1), (tenths >= 1000, whole), else_=days)
    return case(
        (tenths <= 0, 0),
        (and_(tenths <= 1000, whole > 0), day_number(aim.start_date) + on_break + elapsed - 1),
    )
