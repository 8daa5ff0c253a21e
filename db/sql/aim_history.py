"""What follows from the rows of an aim's history."""

from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import aliased

from db.models.aim_history import AimHistory


def next_row_day() -> ScalarSelect[Any]:
    """The number of the day of the aim's next row, for a statement that reads AimHistory; NULL for the last row."""
    later = aliased(AimHistory)
    return (
        select(func.min(later.day))  # unscoped: a fact about the row itself
        .where(later.aim_id == AimHistory.aim_id, later.day > AimHistory.day)
        .correlate(AimHistory)
        .scalar_subquery()
    )
