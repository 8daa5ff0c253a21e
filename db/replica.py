"""How much of the primary's writes a read replica has, so that nobody is shown less than they have written themselves.

PostgreSQL's streaming replicas say how far they have come. Each process looks every half second where the primary is and
where the replica: what was committed before the last place that both have passed is on the replica too.
"""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.background_task import running
from db.read_pool import PostgresPool
from domain import clock

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
# A write is stamped before it commits, by a clock that may be another machine's.
MARGIN = dt.timedelta(seconds=2)
# A replica that is further behind, or was not seen for so long, is left alone until it has caught up.
MAX_LAG = dt.timedelta(seconds=10)

# Places in the log of writes, in bytes. What is no standby (a pool's address, a test) has all that it has itself.
_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_REPLAYED = (
    "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,"
    " '0/0')::bigint"
)


class Replica:
    """One replica as this process sees it; while `monitoring()` does not run it counts as away."""

    def __init__(self, primary: PostgresPool, pool: PostgresPool) -> None:
        self.pool = pool
        self._primary = primary
        # When the primary stood where: what is still to be passed by the replica.
        self._marks: deque[tuple[dt.datetime, int]] = deque(maxlen=120)
        self._whole_until: dt.datetime | None = None

    def has_write(self, last_write_at: dt.datetime | None) -> bool:
        """Whether it is near enough, and has what was written at that moment; None is nothing."""
        whole_until = self._whole_until
        if whole_until is None or clock.now() - whole_until > MAX_LAG:
            return False
        return last_write_at is None or last_write_at + MARGIN < whole_until

    def mark_unreachable(self) -> None:
        """It did not answer: nothing is read there until it has been seen again."""
        self._whole_until = None

    @asynccontextmanager
    async def monitoring(self) -> AsyncIterator[None]:
        """Looks after it for as long as the block lasts."""
        async with running(self._follow(), "replica"):
            yield

    async def _follow(self) -> None:
        while True:
            try:
                await self.poll()
            except (DBAPIError, PoolTimeout, OSError) as error:
                if self._whole_until is not None:
                    log.warning("replica_not_seen", cause=type(error).__name__)
                self.mark_unreachable()
            await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> None:
        """Where both are now. Raises what a read raises."""
        now = clock.now()
        [[written]] = await self._primary.fetch(_WRITTEN, ())
        self._marks.append((now, written))
        [[replayed]] = await self.pool.fetch(_REPLAYED, ())
        while self._marks and self._marks[0][1] <= replayed:
            self._whole_until = self._marks.popleft()[0]
