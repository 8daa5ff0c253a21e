"""When a request is sent again: to a server that restarts, or that asks the client to wait."""

import httpx2

from .errors import ServerError

# The longest `retry-after` that is obeyed, and how many in a row.
MAX_WAIT_SECONDS = 300.0
MAX_WAITS = 10
# How often a query is sent when the connection to a server that has not answered yet breaks.
MAX_ATTEMPTS = 3
# How long a server that has answered before is waited for while it restarts, and how long between two attempts.
MAX_RESTART_SECONDS = 120.0
RESTART_PAUSES = (0.5, 1.0, 2.0, 5.0)
# A proxy answers so while the server behind it restarts.
GATEWAY_STATUSES = (502, 504)


class Restart:
    """How long a server that restarts has been waited for."""

    def __init__(self) -> None:
        self.attempts = 0
        self._waited = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has been waited for long enough."""
        return self._waited >= MAX_RESTART_SECONDS

    def pause(self) -> float:
        """Returns the seconds until the next attempt."""
        seconds = RESTART_PAUSES[min(self.attempts, len(RESTART_PAUSES) - 1)]
        self.attempts += 1
        self._waited += seconds
        return seconds


def retry_after(response: httpx2.Response, waits: int) -> float | None:
    """Returns the seconds to wait before the request is repeated, or None if it is not to be repeated.

    `waits`: how often it was repeated already. Raises ServerError if the server asks for more than clients wait.
    """
    text = response.headers.get("retry-after", "")
    if response.status_code not in (429, 503) or not text.isdecimal() or waits == MAX_WAITS:
        return None
    if float(text) > MAX_WAIT_SECONDS:
        raise ServerError(f"The server asks clients to wait {text} seconds. Try again after that.")
    return float(text)


def wait_reason(response: httpx2.Response) -> str:
    """Returns why the server asks the client to wait."""
    return "the rate limit is reached" if response.status_code == 429 else "the server is temporarily unavailable"
