"""A connection of the measurements that send requests at a rate of their own."""

import asyncio
from collections.abc import Callable


class Connection:
    """One connection for one request after the other."""

    async def open(self, port: int) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def answer(self, request: bytes) -> bytes:
        """Sends a request and returns the body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return await self._reader.readexactly(int(lengths[0].partition(b":")[2]))

    async def listen(self, request: bytes, on_event: Callable[[], None]) -> None:
        """Opens a stream, and calls `on_event` for each event until it is cancelled."""
        self._writer.write(request.replace(b"Accept: application/json", b"Accept: text/event-stream"))
        async for line in self._reader:
            if line.startswith(b"data: {"):
                if b'"errors"' in line:
                    raise RuntimeError(line.decode())
                on_event()

    def close(self) -> None:
        """Closes the connection."""
        self._writer.close()
