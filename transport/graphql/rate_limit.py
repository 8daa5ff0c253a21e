"""What each viewer may spend a minute: a sliding window over two counters, in the memory of one process.

Several processes each grant the whole budget: it guards a process against one caller, and is no quota to bill by.
"""

import time
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address

from transport.graphql.errors import BUDGET_SPENT, HttpError, operation_rejected, retry_after
from transport.limits import Limits

MINUTE = 60.0


class RateLimiter:
    """Points spent by each key this minute and last, in two dictionaries that swap, so that memory is bounded."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._started = clock()
        self._now: dict[Hashable, int] = {}
        self._before: dict[Hashable, int] = {}

    def charge(self, key: Hashable, cost: int, anonymous: bool) -> int | None:
        """Takes `cost` off the budget and gives what is left, None without a budget.

        Raises TurnedAway with 429 and Retry-After, and takes nothing, where the budget does not reach; Unrunnable where
        it never would.
        """
        limit = self._limits.budget_anonymous if anonymous else self._limits.budget
        if not limit:
            return None
        if cost > limit:
            raise operation_rejected(
                f"This operation costs {cost} points; you may spend {limit} a minute.", limit="budget", max=limit
            )
        passed = self._turn()
        spent = self._now.get(key, 0)
        before = self._before.get(key, 0)
        left = limit - spent - before * (1 - passed / MINUTE) - cost
        if left < 0:
            seconds = self._wait(limit - cost, spent, before, passed)
            raise HttpError(
                429,
                BUDGET_SPENT,
                f"This operation costs {cost} points and your budget of {limit} a minute is spent. Try again in "
                f"{max(1, round(seconds))} seconds, or ask for less.",
                (retry_after(seconds),),
                cost=cost,
                budget=limit,
            )
        self._now[key] = spent + cost
        return int(left)

    def _turn(self) -> float:
        """Seconds into this minute, after the counters have been moved on."""
        passed = self._clock() - self._started
        if passed >= MINUTE:
            self._before = self._now if passed < 2 * MINUTE else {}
            self._now = {}
            self._started += passed // MINUTE * MINUTE
            passed %= MINUTE
        return passed

    @staticmethod
    def _wait(room: int, spent: int, before: int, passed: float) -> float:
        """Seconds until what is spent has slid down to `room`."""
        if spent <= room:
            return MINUTE * (1 - (room - spent) / before) - passed if before else 1.0
        return MINUTE - passed + MINUTE * (1 - room / spent)


def address_key(address: str | None) -> str:
    """What callers who are not signed in are counted by: an IPv4 address, or the /64 of an IPv6 one."""
    if address is None or ":" not in address:
        return address or ""
    try:
        return IPv6Address(address.partition("%")[0]).exploded[:19]
    except ValueError:
        return address
