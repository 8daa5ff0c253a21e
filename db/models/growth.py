"""What each mapped class says about the growth of its table: why it stays bounded, or which rows the server deletes.

    __growth__ = Sweep(dt.timedelta(days=7), lambda table, before: table.created_at < before)

An entity's rows are kept for the people who made them, so an entity need not say anything. Every other class says one
of the two; a test fails for one that does not. `services/sweeper.py` works from these declarations alone.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement


class Growth(Enum):
    """Why nothing is deleted from a table as time passes."""

    APPEND_ONLY = "never deleted, by decision, because it must be complete"
    PART = "part of an entity's rows, kept with them"
    BOUNDED = "at most one row, or a fixed number, for each pair of an enum's value, or a reference, and an entity"
    INSTALLATION = "made by the operator of the installation"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Rows that the server deletes `after` they have ended.

    `ended(table, before)`: the condition for the rows that ended before that time; `table` is the mapped class.
    A row that a foreign key of another row refers to is never deleted.
    `subject(table)`: the condition for the rows that can end at all, for the gauge; None if that is every row.
    `content`: the column with the key of a file in the store, which is deleted with the row.
    """

    after: dt.timedelta
    ended: Callable[[Any, dt.datetime], ColumnElement[bool]]
    subject: Callable[[Any], ColumnElement[bool]] | None = None
    content: str | None = None
