"""Counts wrong access keys by the network that they come from.

The counts are in the memory of one process. A key is looked up before it is counted, so a right one is never refused,
whatever others behind the same address have sent.
"""

import time
from collections.abc import Callable

from auth.viewer import NotSignedIn
from domain.network import network_of

MAX_WRONG_KEYS = 60
WINDOW_SECONDS = 60.0


class TooManyWrongKeys(NotSignedIn):
    """The network has sent too many wrong access keys. `retry_after`: seconds until its next one is looked at."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            f"Too many wrong access keys come from your network: the limit is {MAX_WRONG_KEYS} a minute. Send a valid "
            "one: it is accepted at once."
        )
        self.retry_after = retry_after


class WrongKeys:
    """The wrong access keys of each network, in the minute that begins with its first one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When the minute of a network began, and how many wrong keys it has sent since; the oldest first.
        self._networks: dict[str, tuple[float, int]] = {}

    def __len__(self) -> int:
        return len(self._networks)

    def count(self, address: str | None) -> None:
        """Counts a wrong key from an address (IPv6: from its /64 network). Raises TooManyWrongKeys after 60."""
        now, network = self._clock(), network_of(address)
        while self._networks:
            oldest, (began, _) = next(iter(self._networks.items()))
            if began + WINDOW_SECONDS > now:
                break
            del self._networks[oldest]
        began, count = self._networks.get(network, (now, 0))
        if count >= MAX_WRONG_KEYS:
            raise TooManyWrongKeys(began + WINDOW_SECONDS - now)
        self._networks[network] = began, count + 1
