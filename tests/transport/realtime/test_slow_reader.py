"""A client that subscribes and does not read takes bounded memory of the server, and is disconnected."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable

import pytest

from tests.support.minimal_schema_process import MinimalSchemaProcess, minimal_schema_process
from tests.support.socket_client import INIT, subscribe
from transport.graphql import Limits

# A subscription without end, and the bytes of each event.
FLOOD, EVENT = "subscription {flood}", 50_000
READERS = 4
SECONDS = 1.5
# For each client there are events in the queue, one being sent and one waiting for the queue. Each can exist as a
# response, as JSON, as a frame and in the buffer of the socket. The allowance is for the allocator.
EXPECTED = READERS * (Limits().socket_queue + 2) * EVENT * 4
ALLOWANCE = 8_000_000


def over_websocket(reader: socket.socket) -> None:
    """Subscribes with graphql-transport-ws. The frames are masked with zeros."""
    reader.sendall(
        b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    assert reader.recv(4096).startswith(b"HTTP/1.1 101")
    for message in (INIT, subscribe("flood", FLOOD)):
        text = json.dumps(message).encode()
        length = struct.pack("!B", 0x80 | len(text)) if len(text) < 126 else struct.pack("!BH", 0xFE, len(text))
        reader.sendall(b"\x81" + length + bytes(4) + text)


def over_event_stream(reader: socket.socket) -> None:
    """Subscribes with server-sent events."""
    body = json.dumps({"query": FLOOD}).encode()
    head = (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer 7\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader.sendall(head.encode() + body)


async def until(server: MinimalSchemaProcess, number: int) -> int:
    """Waits until that many connections are open; returns the most memory that the server took meanwhile."""
    most = server.memory()
    async with asyncio.timeout(20):
        while await server.open() != number:
            most = max(most, server.memory())
            await asyncio.sleep(0.02)
    return most


@pytest.mark.parametrize("subscribed", [over_websocket, over_event_stream])
async def test_a_client_that_does_not_read_takes_bounded_memory_and_is_disconnected(
    subscribed: Callable[[socket.socket], None],
):
    async with minimal_schema_process(slow_reader_seconds=SECONDS) as server:
        # A first subscriber, for whom the server loads modules, is not measured.
        with socket.create_connection(("127.0.0.1", server.port)) as first:
            subscribed(first)
            await until(server, 1)
        await until(server, 0)
        before = server.memory()
        with contextlib.ExitStack() as stack:
            readers = [
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10)) for _ in range(READERS)
            ]
            for reader in readers:
                subscribed(reader)
            most = max(await until(server, READERS), await until(server, 0))
            for reader in readers:
                assert b"x" * 1000 in reader.recv(EVENT), "there was nothing to read"
        assert most - before < EXPECTED + ALLOWANCE, f"{(most - before) / 1e6:.1f} MB"
