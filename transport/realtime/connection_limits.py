"""How many WebSockets and event streams may be open: by viewer, by network, and without a token."""

from collections import Counter
from collections.abc import Callable

from transport.graphql.errors import TOO_MANY_CONNECTIONS, HttpError, retry_after
from transport.limits import Limits

# How long a client should wait before it connects again.
RETRY_SECONDS = 10


class TooManyConnections(Exception):
    """The viewer, the network or the process has as many connections as the limits allow; the message says which."""


class Connection:
    """One open connection. `viewer` is the viewer's key, None before a token was accepted; `evict` closes it."""

    __slots__ = ("evict", "network", "viewer")

    def __init__(self, network: str, viewer: int | None, evict: Callable[[], None]) -> None:
        self.network = network
        self.viewer = viewer
        self.evict = evict


class OpenConnections:
    """The open connections of one process.

    Every WebSocket opens without a token. Those without one have a share of their own, in all and for each network.
    Where it is full, the oldest of them is closed: a client that sends its token soon is never kept out by others who
    send none, not even by others behind the same address.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # The connections without a token in the order in which they opened, of all networks and of each.
        self._anonymous: dict[Connection, None] = {}
        self._anonymous_of: dict[str, dict[Connection, None]] = {}
        self._of_viewer: Counter[int] = Counter()
        self._of_network: Counter[str] = Counter()
        self._signed_in = 0
        self.refused = 0
        self.evicted = 0

    @property
    def open(self) -> int:
        """The number of open connections."""
        return self._signed_in + len(self._anonymous)

    @property
    def anonymous(self) -> int:
        """The number of those without a token."""
        return len(self._anonymous)

    @property
    def is_full(self) -> bool:
        """Whether the process has as many connections with a token as it may have."""
        return self._signed_in >= self._limits.connections

    def open_anonymous(self, network: str, evict: Callable[[], None]) -> Connection:
        """Opens a connection without a token, and closes the oldest of them where their share is full."""
        connection = Connection(network, None, evict)
        of_network = self._anonymous_of.setdefault(network, {})
        if len(of_network) >= self._limits.connections_anonymous_network:
            self._close(next(iter(of_network)))
        if len(self._anonymous) >= self._limits.connections_anonymous:
            self._close(next(iter(self._anonymous)))
        self._anonymous[connection] = None
        self._anonymous_of.setdefault(network, {})[connection] = None
        return connection

    def open_signed_in(self, network: str, viewer: int) -> Connection:
        """Opens a connection of a viewer. Raises TooManyConnections."""
        self._check(network, viewer)
        self._count(network, viewer, 1)
        return Connection(network, viewer, lambda: None)

    def sign_in(self, connection: Connection, viewer: int) -> None:
        """Makes a connection that opened without a token the viewer's. Raises TooManyConnections."""
        self._check(connection.network, viewer)
        self._forget_anonymous(connection)
        connection.viewer = viewer
        self._count(connection.network, viewer, 1)

    def close(self, connection: Connection) -> None:
        """Counts a connection as closed."""
        if connection.viewer is None:
            self._forget_anonymous(connection)
        else:
            self._count(connection.network, connection.viewer, -1)

    def _check(self, network: str, viewer: int) -> None:
        limits = self._limits
        for limit, found, of in (
            (limits.connections_viewer, self._of_viewer[viewer], "you"),
            (limits.connections_network, self._of_network[network], "your network"),
            (limits.connections, self._signed_in, "all users together"),
        ):
            if found >= limit:
                self.refused += 1
                raise TooManyConnections(f"Too many open connections: the limit is {limit} for {of}.")

    def _count(self, network: str, viewer: int, change: int) -> None:
        self._signed_in += change
        self._of_viewer[viewer] += change
        self._of_network[network] += change
        if change < 0:
            # Unary plus drops the counts that are 0.
            self._of_viewer, self._of_network = +self._of_viewer, +self._of_network

    def _close(self, connection: Connection) -> None:
        # Counted as closed at once: its task ends a moment later.
        self.evicted += 1
        self._forget_anonymous(connection)
        connection.evict()

    def _forget_anonymous(self, connection: Connection) -> None:
        self._anonymous.pop(connection, None)
        of_network = self._anonymous_of.get(connection.network)
        if of_network is not None:
            of_network.pop(connection, None)
            if not of_network:
                del self._anonymous_of[connection.network]


def too_many_connections(error: TooManyConnections) -> HttpError:
    """The response to a request for an event stream that may not be opened."""
    return HttpError(429, TOO_MANY_CONNECTIONS, str(error), (retry_after(RETRY_SECONDS),))
