"""Connections to PostgreSQL in which every wait has an end, directly or through a pooler such as PgBouncer."""

import asyncio
import enum
import errno
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

# For a free connection of a pool, and for opening one. With the time of a statement the sum stays below ten seconds.
ACQUIRE_SECONDS = 5.0
CONNECT_SECONDS = 4.0
# A statement that waits so long for a lock fails with 55P03.
LOCK_SECONDS = 5
# The server ends a transaction that sends nothing for this long: a process that was frozen must not keep its locks.
IDLE_IN_TRANSACTION_SECONDS = 60
# The server cancels a statement at its limit; if it is silent, the client gives up so much later.
_GRACE_SECONDS = 1.0
# A lost peer is noticed on an idle connection after 15 + 3 * 5 seconds, and on sent data after 10.
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
# Arguments of `connect`: each statement is prepared once, and stays prepared, whatever its length.
STATEMENTS_STAY = {
    "statement_cache_size": 1_000,
    "max_cached_statement_lifetime": 0,
    "max_cacheable_statement_size": 0,
}
# BEGIN in PostgreSQL's protocol: Parse and Bind, without names and parameters, and Execute. A Sync follows with the
# statement that begins the transaction.
_BEGIN = b"P\0\0\0\x0d\0BEGIN\0\0\0" + b"B\0\0\0\x0c\0\0\0\0\0\0\0\0" + b"E\0\0\0\x09\0\0\0\0\0"
# Options of an SQLAlchemy URL that the driver does not accept.
_SQLALCHEMY_OPTIONS = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback")


class Pooler(enum.Enum):
    """What stands between the process and PostgreSQL, and what it supports.

    A pooler accepts no settings at connect: they are set on its side, see docs/operations.md.
    """

    NONE = "none"
    # Each client has a database session of its own.
    SESSION = "session"
    # Each transaction may have another session. The pooler keeps prepared statements (PgBouncer 1.21 or later).
    TRANSACTION = "transaction"
    # As above, without prepared statements (PgBouncer before 1.21).
    TRANSACTION_UNPREPARED = "transaction-unprepared"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to connect. `statement_seconds` limits each statement; None is no limit, for commands."""

    statement_seconds: int | None = None
    pooler: Pooler = Pooler.NONE

    @property
    def answer_seconds(self) -> float | None:
        """After how many seconds without an answer the connection is given up."""
        return None if self.statement_seconds is None else self.statement_seconds + _GRACE_SECONDS

    @property
    def prepares(self) -> bool:
        """Whether statements may be prepared once a connection."""
        return self.pooler is not Pooler.TRANSACTION_UNPREPARED

    def server_settings(self) -> dict[str, str]:
        """The settings of a database session, sent with the connect."""
        if self.pooler is not Pooler.NONE:
            return {"application_name": "waymark"}
        settings = {
            "application_name": "waymark",
            # Compiling a read takes as long as running the longest one.
            "jit": "off",
            # The server notices a lost client, and releases the locks of its transaction.
            "tcp_keepalives_idle": "30",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "3",
            "tcp_user_timeout": "30000",
        }
        if self.statement_seconds is not None:
            settings |= {
                "statement_timeout": f"{self.statement_seconds}s",
                "lock_timeout": f"{min(LOCK_SECONDS, self.statement_seconds)}s",
                "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
            }
        return settings


class Connection(asyncpg.Connection):
    """A connection that is closed when a statement on it gets no answer in time, or is no longer awaited.

    asyncpg would send a cancel request over another connection and wait for it, which a silent server never answers.
    """

    async def fetch_prepared(
        self, sql: str, arguments: Sequence[Any], seconds: float | None = None, begins: bool = False
    ) -> list[Any]:
        """As `fetch`, which calls some 35 functions for a statement that this connection has prepared, this one 5.

        `seconds`: how long it may take; None is the connection's own limit. `begins`: it begins a transaction, which
        takes no round trip of its own if the statement is prepared.
        """
        protocol = self._protocol
        statement = self._stmt_cache.get((sql, protocol.get_record_class(), False))
        if statement is None:
            if begins:
                await self.execute("BEGIN")
            return list(await self.fetch(sql, *arguments, timeout=seconds))
        if begins:
            # The driver takes the answers to these messages for part of the statement's own, and ignores them.
            self._transport.write(_BEGIN)
        try:
            records: list[Any] = await protocol.bind_execute(statement, arguments, "", 0, False, seconds)
        except asyncpg.OutdatedSchemaCacheError:
            await self.reload_schema_state()
            raise
        except asyncpg.InvalidCachedStatementError:
            # A migration changed the columns. In a transaction there is nothing to repeat.
            self._drop_global_statement_cache()
            if protocol.is_in_transaction():
                raise
            return list(await self.fetch(sql, *arguments, timeout=seconds))
        return records

    def _cancel_current_command(self, waiter: Any, cancel_waiter: Any = None) -> None:
        self._loop.call_soon(self.terminate)


async def connect(options: ConnectionOptions, **arguments: Any) -> Connection:
    """Opens a connection. `arguments` are those of asyncpg.connect; a statement timeout among them wins.

    Raises OSError (TimeoutError included) or asyncpg.PostgresError within CONNECT_SECONDS.
    """
    named = {name: value for name, value in arguments.items() if name not in _SQLALCHEMY_OPTIONS}
    cache = {} if options.prepares else {"statement_cache_size": 0}
    try:
        connection: Connection = await asyncpg.connect(
            timeout=CONNECT_SECONDS,
            command_timeout=options.answer_seconds,
            connection_class=Connection,
            **{"server_settings": options.server_settings(), **named, **cache},
        )
    except FileNotFoundError:
        # A server that stopped has removed its socket in the file system.
        raise ConnectionRefusedError(errno.ECONNREFUSED, "The socket of the database is not there") from None
    _keep_alive(connection._transport.get_extra_info("socket"))
    return connection


def _keep_alive(sock: Any) -> None:
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        # Not every platform has each of them.
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def is_silent(error: BaseException) -> bool:
    """Returns whether a statement got no answer, as opposed to an error."""
    return isinstance(error, asyncio.TimeoutError)


def read_arguments(options: ConnectionOptions, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of `connect` for a read pool: each statement is prepared once, and stays prepared."""
    return {**arguments, **STATEMENTS_STAY}
