"""Tracks how far a read replica lags behind the primary, so that users see their own writes.

Every half second each process reads the position of the primary and of the replica in the write-ahead log. What was
committed before a position that the replica has replayed is visible on the replica. While the primary is away the
replica stays in use, for everybody whose last write it is known to have.
"""

import asyncio
import datetime as dt
import math
import time
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
# A replica that lags further, or did not answer for this long, is not read until it has caught up.
MAX_LAG = dt.timedelta(seconds=10)
# While the primary is away: as long as a failover may take, with an operator who has to be woken.
MAX_OUTAGE_SECONDS = 15 * 60.0
# A server that does not answer a poll within this is silent.
_POLL_SECONDS_AT_MOST = 2.0

# Positions in the write-ahead log, in bytes: written; replayed and received, and whether replay is paused. A server
# that is not a standby (a test's, or one that was promoted) has replayed all it wrote.
_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_REPLAYED = """
    SELECT pg_wal_lsn_diff(replayed, '0/0')::bigint AS replayed,
           pg_wal_lsn_diff(greatest(received, replayed), '0/0')::bigint AS received, paused
    FROM (
        SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS replayed,
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() END AS received,
               CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused
    ) AS position"""
# A primary that is killed may leave the beginning of a record behind, up to the end of a page, which is never replayed.
_PAGE_BYTES = 8192


class Replica:
    """A read replica as this process knows it; unreachable unless `monitoring()` runs."""

    def __init__(self, primary: ReadPool, pool: ReadPool, primary_outages: OutageLog) -> None:
        self.pool = pool
        self._primary = primary
        self._primary_outages = primary_outages
        # (time, position of the primary then), oldest first, of positions that the replica has not replayed yet.
        self._positions: deque[tuple[dt.datetime, int]] = deque(maxlen=120)
        # The replica has everything that was committed before this; None while it is unreachable.
        self._replayed_until: dt.datetime | None = None
        # The position that the last poll found, and when a poll last found no more to replay (`time.monotonic`).
        self._replayed = -1
        self._complete_at = -1.0
        self.outages = OutageLog("replica")

    def has_write(self, last_write_at: dt.datetime | None) -> bool:
        """Returns whether the replica can be read by a viewer whose last write was at that time; None: no write."""
        if self.stands_in:
            return True
        replayed_until = self._replayed_until
        if replayed_until is None or clock.now() - replayed_until > MAX_LAG:
            return False
        return last_write_at is None or last_write_at + MARGIN < replayed_until

    @property
    def stands_in(self) -> bool:
        """Whether the replica is read instead of the primary, which is away.

        Only once it has replayed, since the outage began, what it had received: what a synchronous standby lacks was
        acknowledged to nobody.
        """
        since = self._primary_outages.since
        return since is not None and since < self._complete_at < since + MAX_OUTAGE_SECONDS

    def lag_seconds(self) -> float:
        """Returns how far the replica is behind, in seconds; infinity while it is unreachable."""
        if self._replayed_until is None:
            return math.inf
        return (clock.now() - self._replayed_until).total_seconds()

    def mark_unreachable(self, error: BaseException | None) -> None:
        """Stops reads from the replica until the next successful poll. `error`: None if the replica itself works."""
        self._replayed_until, self._complete_at = None, -1.0
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
        """Reads the position of both servers. Raises what a read of the replica raises, and TimeoutError."""
        await self._poll_primary()
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(_POLL_SECONDS_AT_MOST):
                [position] = await self.pool.fetch(_REPLAYED, ())
        except TimeoutError:
            # It is silent: reads that wait for it go to the primary.
            self.pool.abandon_reads()
            raise
        replayed, received = position["replayed"], position["received"]
        while self._positions and self._positions[0][1] <= replayed:
            self._replayed_until = self._positions.popleft()[0]
        is_at_end = not position["paused"] and replayed == self._replayed and received - replayed < _PAGE_BYTES
        if replayed >= received or is_at_end:
            self._complete_at = asked_at
        self._replayed = replayed

    async def _poll_primary(self) -> None:
        now = clock.now()
        try:
            async with asyncio.timeout(_POLL_SECONDS_AT_MOST):
                [[written]] = await self._primary.fetch(_WRITTEN, ())
        except (DBAPIError, PoolTimeout, OSError) as error:
            self._primary_outages.failed(error)
        else:
            self._primary_outages.worked()
            self._positions.append((now, written))
