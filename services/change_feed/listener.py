"""The connection that receives the notifications of all processes on PostgreSQL, with a heartbeat."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from db.outages import OutageLog
from db.postgres_connection import ConnectionOptions, Pooler, connect

# Between two heartbeats, and for the answer to one. Their sum is the longest time for which a dead connection is kept.
HEARTBEAT_SECONDS = 8.0
_ANSWER_SECONDS = 4.0
# After a failure to connect. A connection that worked is replaced at once.
_RETRY_SECONDS = 1.0
# Without settings that a pooler in session mode would reject.
_OPTIONS = ConnectionOptions(int(_ANSWER_SECONDS), Pooler.SESSION)
_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class ChangeListener:
    """Listens on a channel for as long as `listen` runs, and replaces a connection that no longer receives anything.

    `url` must lead to PostgreSQL itself or to a pooler in session mode: in transaction mode a pooler passes no
    notifications on, but may return those of the connection itself. The heartbeat is a notification to itself.
    """

    def __init__(
        self, url: str, channel: str, on_payload: Callable[[str], None], on_connect: Callable[[], None]
    ) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._on_payload = on_payload
        self._on_connect = on_connect
        self._heartbeat_channel = f"waymark_heartbeat_{secrets.token_hex(8)}"
        self._heartbeat = asyncio.Event()
        self.is_connected = False
        self.outages = OutageLog("change_listener")

    async def listen(self) -> None:
        """Connects and listens, again and again; never returns."""
        while True:
            worked = self.is_connected = False
            try:
                connection = await connect(_OPTIONS, dsn=self._url)
                try:
                    await self._subscribe(connection)
                    worked = True
                    await self._keep(connection)
                finally:
                    self.is_connected = False
                    await _close(connection)
            except _ERRORS as error:
                self.outages.failed(error)
            if not worked:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _subscribe(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(self._channel, lambda *notification: self._on_payload(notification[3]))
        await connection.add_listener(self._heartbeat_channel, lambda *_: self._heartbeat.set())
        await self._beat(connection)
        self.is_connected = True
        self.outages.worked()
        # Commits made while nothing listened are unknown.
        self._on_connect()

    async def _keep(self, connection: asyncpg.Connection) -> None:
        disconnected = asyncio.Event()
        connection.add_termination_listener(lambda *_: disconnected.set())
        while not connection.is_closed():
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await disconnected.wait()
            if not disconnected.is_set():
                await self._beat(connection)
        raise ConnectionResetError("The server closed the connection.")

    async def _beat(self, connection: asyncpg.Connection) -> None:
        self._heartbeat.clear()
        await connection.execute("SELECT pg_notify($1, '')", self._heartbeat_channel)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._heartbeat.wait()
        except TimeoutError:
            raise TimeoutError(
                "No notification arrived. WAYMARK_LISTEN_URL must lead to PostgreSQL, not to a pooler."
            ) from None


async def _close(connection: Any) -> None:
    try:
        await connection.close(timeout=1)
    except (*_ERRORS, asyncio.CancelledError):
        connection.terminate()
