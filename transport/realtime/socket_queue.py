"""The parts of a socket: how it closes, who is signed in on it, and the bounded queue of what it has to say."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import HTTPConnection
from starlette.types import Send

from transport.realtime.connection_lifecycle import ConnectionLifecycle, ReaderTooSlow


class CloseSocket(Exception):
    """Ends a socket with a close code; 0 where the client has closed it already, or reads no more."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AuthenticatedConnection:
    """Whom connection_init has signed in: a connection to make each operation's context of, and one to watch by."""

    connection: HTTPConnection
    context: Any


class SendQueue:
    """Messages on their way out, `size` at most: whoever has more to say waits for the client to read."""

    def __init__(self, streams: ConnectionLifecycle, send: Send, size: int) -> None:
        self._streams = streams
        self._send = send
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(size)

    async def put(self, message: dict[str, Any]) -> None:
        """Queues one message."""
        await self._waiting.put(message)

    async def write(self) -> None:
        """Sends what is queued, as text, until cancelled. Raises Closing where the client does not read."""
        while True:
            text = orjson.dumps(await self._waiting.get()).decode()
            try:
                await self._streams.send(self._send, {"type": "websocket.send", "text": text})
            except ReaderTooSlow:
                raise CloseSocket(0, "") from None
            self._waiting.task_done()

    async def drained(self) -> None:
        """Waits until all that is queued has been sent."""
        await self._waiting.join()

    async def close(self, closing: CloseSocket) -> None:
        """Sends the close frame."""
        try:
            await self._streams.send(
                self._send, {"type": "websocket.close", "code": closing.code, "reason": closing.reason}
            )
        except ReaderTooSlow:
            pass
