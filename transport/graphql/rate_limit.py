"""The rate limits: how many points each caller may spend a minute, in a sliding window.

One budget is for the cost of operations, which is known once a document is valid. The other is for documents that the
server has to parse or has rejected, and for large bodies: it is charged by their length, before any work is done for
them.

The counters are in the memory of one process. With several processes each of them grants the whole budget, so this
protects a process against one caller and is not a quota.
"""

import time
from collections.abc import Callable, Hashable

from transport.graphql.errors import BUDGET_SPENT, HttpError, operation_rejected, retry_after
from transport.limits import Limits

MINUTE = 60.0


class RateLimiter:
    """Counts the points of each caller in this minute and in the last one. Older counts are dropped."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._started = clock()
        self._current: dict[Hashable, int] = {}
        self._previous: dict[Hashable, int] = {}

    def charge(self, key: Hashable, cost: int, anonymous: bool) -> int | None:
        """Subtracts `cost` from the caller's budget and returns what is left; None if there is no limit.

        Subtracts nothing and raises HttpError 429 with Retry-After where less is left, or OperationRejected where the
        cost is more than the whole budget.
        """
        limit = self._limits.budget_anonymous if anonymous else self._limits.budget
        if not limit:
            return None
        if cost > limit:
            raise operation_rejected(
                f"This operation costs {cost} points; the limit is {limit} points a minute.", limit="budget", max=limit
            )
        what = f"This operation costs {cost} points, and the limit of {limit} points a minute is reached."
        return self._spend(("operations", key), cost, limit, what, "select less")

    def give_back(self, key: Hashable, points: int, anonymous: bool) -> int:
        """Adds to the caller's budget what `charge` subtracted too much, and returns what is left."""
        elapsed = self._advance()
        key = ("operations", key)
        # Of a charge of the last minute nothing is given back: it ends soon.
        spent = self._current[key] = max(0, self._current.get(key, 0) - points)
        limit = self._limits.budget_anonymous if anonymous else self._limits.budget
        return int(limit - spent - self._previous.get(key, 0) * (1 - elapsed / MINUTE))

    def charge_document(self, key: Hashable, characters: int) -> None:
        """Subtracts the points of a document of that length from the caller's budget for documents.

        Subtracts nothing and raises HttpError 429 with Retry-After where less is left.
        """
        what = "new and for rejected documents"
        self._charge_characters(key, characters, what, "pass values as variables")

    def charge_body(self, key: Hashable, size: int) -> None:
        """Subtracts the points of a body of so many bytes from the same budget, as above; a small one is free."""
        if size > self._limits.free_body_bytes:
            what = f"bodies of more than {self._limits.free_body_bytes} bytes"
            self._charge_characters(key, size - self._limits.free_body_bytes, what, "send less")

    def _charge_characters(self, key: Hashable, characters: int, what: str, remedy: str) -> None:
        limit = self._limits.budget_documents
        if not limit:
            return
        cost = min(limit, 1 + characters // max(1, self._limits.characters_per_point))
        message = f"The limit of {limit} points a minute for {what} is reached."
        self._spend(("documents", key), cost, limit, message, remedy)

    def _spend(self, key: Hashable, cost: int, limit: int, what: str, remedy: str) -> int:
        elapsed = self._advance()
        spent = self._current.get(key, 0)
        previous = self._previous.get(key, 0)
        left = limit - spent - previous * (1 - elapsed / MINUTE) - cost
        if left < 0:
            header = retry_after(self._seconds_until(limit - cost, spent, previous, elapsed))
            raise HttpError(
                429,
                BUDGET_SPENT,
                f"{what} Try again after {header[1].decode()} s, or {remedy}.",
                (header,),
                cost=cost,
                budget=limit,
            )
        self._current[key] = spent + cost
        return int(left)

    def _advance(self) -> float:
        """Starts a new minute if it is time to, and returns the seconds since the minute began."""
        elapsed = self._clock() - self._started
        if elapsed >= MINUTE:
            self._previous = self._current if elapsed < 2 * MINUTE else {}
            self._current = {}
            self._started += elapsed // MINUTE * MINUTE
            elapsed %= MINUTE
        return elapsed

    @staticmethod
    def _seconds_until(target: int, spent: int, previous: int, elapsed: float) -> float:
        """Returns the seconds until the points in the window have fallen to `target`."""
        if spent <= target:
            return MINUTE * (1 - (target - spent) / previous) - elapsed if previous else 1.0
        return MINUTE - elapsed + MINUTE * (1 - target / spent)
