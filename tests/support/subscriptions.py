"""Subscriptions as clients hold them: server-sent events, and graphql-transport-ws, against the real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.support.client import HttpClient
from tests.support.socket_client import Client, connected, subscribe

# A message that has not come after so long (seconds) will not come.
PATIENCE = 10.0


class Stream:
    """An event stream: `await stream.next()` is the next answer, None once it is complete."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def next(self) -> dict[str, Any] | None:
        return await asyncio.wait_for(self.messages.get(), PATIENCE)

    async def settled(self, quiet: float = 0.7) -> list[dict[str, Any] | None]:
        """Everything that comes until nothing has come for a while."""
        found = []
        with suppress(TimeoutError):
            while True:
                found.append(await asyncio.wait_for(self.messages.get(), quiet))
        return found

    async def read(self, response: httpx2.Response) -> None:
        """Puts events into `messages` until the stream ends."""
        name = None
        async for line in response.aiter_lines():
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:") and name == "next":
                self.messages.put_nowait(json.loads(line[5:]))
            elif line.startswith("data:") and name == "complete":
                self.messages.put_nowait(None)


@asynccontextmanager
async def streaming(person: HttpClient, query: str, **variables: Any) -> AsyncIterator[Stream]:
    """A subscription over server-sent events."""
    stream = Stream()
    async with httpx2.AsyncClient(base_url=person.http.base_url, timeout=60) as client:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {person.tokens['accessToken']}"}
        asked = {"query": query, "variables": variables}
        async with client.stream("POST", "/graphql", json=asked, headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            reading = asyncio.create_task(stream.read(response))
            try:
                yield stream
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading


class Socket:
    """One subscription on a socket of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def next(self) -> dict[str, Any] | None:
        """The next answer; None once it is complete."""
        while True:
            message = await self._client.receive()
            if message["type"] in ("next", "complete"):
                return message.get("payload")

    async def closed(self) -> tuple[int, str]:
        """Close code and reason."""
        return await self._client.closed()


@asynccontextmanager
async def listening(person: HttpClient, query: str, **variables: Any) -> AsyncIterator[Socket]:
    """A subscription over graphql-transport-ws."""
    port = urlsplit(str(person.http.base_url)).port
    token = {"authorization": f"Bearer {person.tokens['accessToken']}"}
    async with connected(port, {"type": "connection_init", "payload": token}) as client:
        await client.send(subscribe("1", query, variables=variables))
        yield Socket(client)
