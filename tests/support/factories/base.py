"""What the factories share: the database session, the current time and the way to add a row."""

import datetime as dt
from itertools import count
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.models.base import Base
from domain import clock

DAY = dt.timedelta(days=1)
# The digest of files and documents whose content no test reads.
SHA256 = "0" * 64

Row = TypeVar("Row", bound=Base)


class OfLearner(Protocol):
    """A record that names its provider and its learner."""

    provider_id: Any
    learner_id: Any


class RowFactory:
    """Adds rows in the caller's transaction. `now` is the time at which all of them were made."""

    def __init__(self, session: AsyncSession, now: dt.datetime | None = None) -> None:
        self.session = session
        self.now = now or clock.now()
        self.today = clock.day_of(self.now)
        self._numbers = count(1)

    async def add(self, row: Row) -> Row:
        """Adds a row, and returns it with its key."""
        self.session.add(row)
        await self.session.flush()
        return row

    def next_number(self) -> int:
        """Returns a number that this factory has not returned before, for columns that must be unique."""
        return next(self._numbers)


def keys_of(record: OfLearner) -> dict[str, int]:
    """Returns the provider and the learner of a record, as its parts name them."""
    return {"provider_id": record.provider_id, "learner_id": record.learner_id}
