"""A TCP proxy between the server and PostgreSQL that a test can disconnect and restore."""

import asyncio
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
        through_proxy = self._to.set(drivername="postgresql", host="127.0.0.1", port=self._port, query={})
        self.url = through_proxy.render_as_string(hide_password=False)

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    async def restore(self) -> None:
        """Accepts connections (again)."""
        self._listener = await asyncio.start_server(self._forward, "127.0.0.1", self._port)

    async def disconnect(self) -> None:
        """Closes every connection and refuses new ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder = self._to.query.get("host")
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
            await asyncio.gather(_pump(reader, upstream[1]), _pump(upstream[0], writer))
        finally:
            self._writers -= {writer, upstream[1]}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
