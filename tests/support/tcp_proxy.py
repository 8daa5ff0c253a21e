"""A TCP proxy between the server and PostgreSQL that a test can disconnect, silence and restore."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

from tests.support.server_process import free_port


class TcpProxy:
    """Forwards connections to a database while entered. `url`: the address of the database through the proxy."""

    def __init__(self, database_url: str) -> None:
        self._to = make_url(database_url)
        self._port = free_port()
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        # Each connection keeps the event of its time: one that was silenced stays silent.
        self._silence = asyncio.Event()
        # What the next request contains whose connection is closed, and whether that request is forwarded.
        self._cut_at: tuple[bytes, bool] | None = None
        through_proxy = self._to.set(drivername="postgresql", host="127.0.0.1", port=self._port, query={})
        self.url = through_proxy.render_as_string(hide_password=False)

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    async def restore(self) -> None:
        """Accepts connections (again). Connections that were silenced stay silent."""
        self._silence = asyncio.Event()
        if self._listener is not None:
            return
        self._listener = await asyncio.start_server(self._forward, "127.0.0.1", self._port)

    async def disconnect(self) -> None:
        """Closes every connection and refuses new ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def lead_to(self, database_url: str) -> None:
        """Closes every connection; new ones lead to another server, as after a failover."""
        await self.disconnect()
        self._to = make_url(database_url)
        await self.restore()

    def silence(self) -> None:
        """Keeps connections and accepts new ones, but forwards no byte in either direction."""
        self._silence.set()

    def cut_at(self, message: bytes, arrives: bool) -> None:
        """Closes the connection of the next request that contains `message`. `arrives`: the request is forwarded."""
        self._cut_at = (message, arrives)

    def _is_cut(self, data: bytes, upstream: asyncio.StreamWriter) -> bool:
        if self._cut_at is None or self._cut_at[0] not in data:
            return False
        if self._cut_at[1]:
            upstream.write(data)
        self._cut_at = None
        return True

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder = self._to.query.get("host")
        silence = self._silence
        try:
            if isinstance(folder, str) and folder.startswith("/"):
                upstream = await asyncio.open_unix_connection(Path(folder) / f".s.PGSQL.{self._to.port or 5432}")
            else:
                upstream = await asyncio.open_connection(self._to.host or folder, self._to.port or 5432)
        except OSError:
            writer.transport.abort()
            return
        if self._listener is None:
            # Disconnected while this connection was still being made.
            for each in (writer, upstream[1]):
                each.transport.abort()
            return
        self._writers |= {writer, upstream[1]}
        try:
            await asyncio.gather(
                _pump(reader, upstream[1], silence, writer, self._is_cut), _pump(upstream[0], writer, silence)
            )
        finally:
            self._writers -= {writer, upstream[1]}


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    silence: asyncio.Event,
    back: asyncio.StreamWriter | None = None,
    is_cut: Callable[[bytes, asyncio.StreamWriter], bool] | None = None,
) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            if silence.is_set():
                continue
            if is_cut is not None and back is not None and is_cut(data, writer):
                back.transport.abort()
                break
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
