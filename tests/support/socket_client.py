"""A low-level client of graphql-transport-ws that can also send invalid messages."""

import asyncio
import contextlib
import json

import websockets

PROTOCOL = "graphql-transport-ws"
INIT = {"type": "connection_init", "payload": {"authorization": "Bearer 7"}}


class Client:
    """Sends and receives JSON messages; strings and bytes are sent as they are."""

    def __init__(self, connection):
        self.connection = connection

    async def send(self, *messages):
        for message in messages:
            await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self):
        text = await asyncio.wait_for(self.connection.recv(), 10)
        assert isinstance(text, str)
        return json.loads(text)

    async def closed(self):
        """Reads until the server closes, and returns the close code and reason."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.wait_for(self.connection.recv(), 10)
        return self.connection.close_code, self.connection.close_reason


@contextlib.asynccontextmanager
async def connected(port, init=INIT, **options):
    """Opens a connection and, unless `init` is None, initialises it; `options` are those of `websockets.connect`."""
    address = f"ws://127.0.0.1:{port}/graphql"
    async with websockets.connect(address, subprotocols=[PROTOCOL], close_timeout=1, **options) as connection:
        client = Client(connection)
        if init:
            await client.send(init)
            assert await client.receive() == {"type": "connection_ack"}
        yield client


def subscribe(id, query, **more):
    """Returns a subscribe message; `more` are further parameters of the request."""
    return {"id": id, "type": "subscribe", "payload": {"query": query, **more}}
