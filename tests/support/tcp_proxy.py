"""A cable between the server and PostgreSQL that a test can pull out and put back: a TCP proxy on one port."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

from tests.support.server_process import free_port


class Cable:
    """`url` is the database's by way of the cable, which is whole at first: `cut()` it, `mend()` it."""

    def __init__(self, database_url: str) -> None:
        self._to = make_url(database_url)
        self._port = free_port()
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        by_way_of = self._to.set(drivername="postgresql", host="127.0.0.1", port=self._port, query={})
        self.url = by_way_of.render_as_string(hide_password=False)

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """The database is there (again)."""
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Every connection breaks, and new ones are refused."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder = self._to.query.get("host")
        try:
            if isinstance(folder, str) and folder.startswith("/"):
                there = await asyncio.open_unix_connection(Path(folder) / f".s.PGSQL.{self._to.port or 5432}")
            else:
                there = await asyncio.open_connection(self._to.host or folder, self._to.port or 5432)
        except OSError:
            writer.transport.abort()
            return
        if self._listener is None:
            # Cut while this connection was still being made.
            for each in (writer, there[1]):
                each.transport.abort()
            return
        self._writers |= {writer, there[1]}
        try:
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        finally:
            self._writers -= {writer, there[1]}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
