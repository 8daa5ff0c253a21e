"""The messages to the client of one WebSocket, and the exception that closes it."""

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Send

from transport.realtime.connection_lifecycle import ClientTooSlow, ConnectionLifecycle


class CloseWebSocket(Exception):
    """Ends the connection with a close code; 0 sends no close frame, as the client is gone or does not read."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class SendQueue:
    """Messages to the client, at most `size`: `put` waits until the client has read enough of them."""

    def __init__(self, lifecycle: ConnectionLifecycle, send: Send, size: int) -> None:
        self._lifecycle = lifecycle
        self._send = send
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(size)

    async def put(self, message: dict[str, Any]) -> None:
        """Adds a message."""
        await self._messages.put(message)

    async def send_all(self) -> None:
        """Sends the messages as text until cancelled. Raises CloseWebSocket if the client does not read."""
        while True:
            text = orjson.dumps(await self._messages.get()).decode()
            try:
                await self._lifecycle.send(self._send, {"type": "websocket.send", "text": text})
            except ClientTooSlow:
                raise CloseWebSocket(0, "") from None
            self._messages.task_done()

    async def until_sent(self) -> None:
        """Returns when every message is sent."""
        await self._messages.join()

    async def close(self, closing: CloseWebSocket) -> None:
        """Sends the close frame."""
        with suppress(ClientTooSlow):
            await self._lifecycle.send(
                self._send, {"type": "websocket.close", "code": closing.code, "reason": closing.reason}
            )
