"""Checks that read a limited number of rows at a time, so that no transaction stays open for long.

A check is a function that takes a session and a position, reads one batch from there, and returns the problems in it
and the next position. Positions are values of JSON: a run that was stopped continues from the last one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

# Rows of one batch: it takes less than a second.
BATCH_ROWS = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """The problems of a batch, a sentence each, and the position of the next; None at the end."""

    problems: Sequence[str]
    next: Any


# Takes a session and a position, which is None at the beginning.
Check = Callable[[AsyncSession, Any], Awaitable[Batch]]


async def problems_in(session: AsyncSession, check: Check) -> AsyncIterator[str]:
    """Yields the problems of all batches, in the caller's transaction."""
    position = None
    while True:
        batch = await check(session, position)
        for problem in batch.problems:
            yield problem
        if (position := batch.next) is None:
            return


async def key_range(session: AsyncSession, key: Any, after: int | None) -> tuple[ColumnElement[bool], int | None]:
    """Returns a condition for the next `BATCH_ROWS` keys after one, and the last of them; None if no more follow.

    The range of the last batch has no end, so that together the batches cover every key there is.
    """
    beginning = key > (after if after is not None else -1)
    keys = (await session.execute(select(key).where(beginning).order_by(key).limit(BATCH_ROWS))).scalars().all()
    if len(keys) < BATCH_ROWS:
        return beginning, None
    return and_(beginning, key <= keys[-1]), keys[-1]
