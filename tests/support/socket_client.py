"""A raw client of graphql-transport-ws, which makes the mistakes that real ones do not."""

import asyncio
import contextlib
import json

import websockets

PROTOCOL = "graphql-transport-ws"
INIT = {"type": "connection_init", "payload": {"authorization": "Bearer 7"}}


class Client:
    """A raw socket that speaks JSON."""

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
        """The close code, after whatever is still sent."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.wait_for(self.connection.recv(), 10)
        return self.connection.close_code, self.connection.close_reason


@contextlib.asynccontextmanager
async def connected(port, init=INIT, **options):
    address = f"ws://127.0.0.1:{port}/graphql"
    async with websockets.connect(address, subprotocols=[PROTOCOL], close_timeout=1, **options) as connection:
        client = Client(connection)
        if init:
            await client.send(init)
            assert await client.receive() == {"type": "connection_ack"}
        yield client


def subscribe(identity, query, **more):
    return {"id": identity, "type": "subscribe", "payload": {"query": query, **more}}
