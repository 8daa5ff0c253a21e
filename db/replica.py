"""Tracks how far a read replica lags behind the primary, so that users see their own writes.

Every half second each process reads the position of the primary and of the replica in the write-ahead log. What was
committed before a position that the replica has replayed is visible on the replica.
"""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.background_task import running
from db.outages import OutageLog
from db.read_pool import ReadPool
from domain import clock

POLL_SECONDS = 0.5
# The time of a write is taken before the commit, by a clock that may be another machine's.
MARGIN = dt.timedelta(seconds=2)
# A replica that lags further, or did not answer for so long, is not read until it has caught up.
MAX_LAG = dt.timedelta(seconds=10)
# A server that does not answer a poll within this is silent.
_POLL_SECONDS_AT_MOST = 2.0

# Positions in the write-ahead log, in bytes. A server that is not a standby (a test's, say) has replayed all it wrote.
_WRITTEN_POSITION = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_REPLAYED_POSITION = (
    "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,"
    " '0/0')::bigint"
)


class Replica:
    """A read replica as this process knows it; unreachable unless `monitoring()` runs."""

    def __init__(self, primary: ReadPool, pool: ReadPool) -> None:
        self.pool = pool
        self._primary = primary
        # (time, position of the primary then), oldest first, of positions that the replica has not replayed yet.
        self._positions: deque[tuple[dt.datetime, int]] = deque(maxlen=120)
        # The replica has everything that was committed before this; None while it is unreachable.
        self._replayed_until: dt.datetime | None = None
        self.outages = OutageLog("replica")

    def has_write(self, last_write_at: dt.datetime | None) -> bool:
        """Returns whether the replica can be read by a viewer whose last write was at that time; None: no write."""
        replayed_until = self._replayed_until
        if replayed_until is None or clock.now() - replayed_until > MAX_LAG:
            return False
        return last_write_at is None or last_write_at + MARGIN < replayed_until

    def mark_unreachable(self, error: BaseException | None) -> None:
        """Stops reads from the replica until the next successful poll. `error`: None if the replica itself works."""
        self._replayed_until = None
        if error is not None:
            self.outages.failed(error)

    @asynccontextmanager
    async def monitoring(self) -> AsyncIterator[None]:
        """Polls the replica for the length of the block."""
        async with running(self._poll_forever, "replica"):
            yield

    async def _poll_forever(self) -> None:
        while True:
            await self._poll_once()
            await asyncio.sleep(POLL_SECONDS)

    async def _poll_once(self) -> None:
        try:
            await self.poll()
        except (DBAPIError, PoolTimeout, OSError) as error:
            self.mark_unreachable(error)
        else:
            self.outages.worked()

    async def poll(self) -> None:
        """Reads the position of both servers. Raises what a read raises, and TimeoutError."""
        now = clock.now()
        async with asyncio.timeout(_POLL_SECONDS_AT_MOST):
            [[written]] = await self._primary.fetch(_WRITTEN_POSITION, ())
        self._positions.append((now, written))
        try:
            async with asyncio.timeout(_POLL_SECONDS_AT_MOST):
                [[replayed]] = await self.pool.fetch(_REPLAYED_POSITION, ())
        except TimeoutError:
            # It is silent: reads that wait for it go to the primary.
            self.pool.abandon_reads()
            raise
        while self._positions and self._positions[0][1] <= replayed:
            self._replayed_until = self._positions.popleft()[0]
