"""The WebSocket handshake: origins, the subprotocol, whether there is room, and the time to initialise."""

import asyncio

import pytest
import websockets

from tests.support.minimal_schema import serving, until
from tests.support.socket_client import Client, connected
from transport.graphql import Limits
from transport.realtime.handshake import is_origin_allowed


@pytest.fixture
async def port():
    async with serving() as (port, _):
        yield port


@pytest.mark.parametrize("init", [None, {"type": "connection_init"}, {"type": "connection_init", "payload": {}}])
async def test_a_connection_without_a_token_is_closed(init):
    async with serving(limits=Limits(init_seconds=0.1)) as (port, _), connected(port, init) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_a_connection_with_a_token_outlives_the_time_to_send_one():
    async with serving(limits=Limits(init_seconds=0.1)) as (port, _), connected(port) as client:
        await asyncio.sleep(0.4)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_only_graphql_transport_ws_is_accepted(port):
    address = f"ws://127.0.0.1:{port}/graphql"
    for offered in (["nonsense"], None):
        async with websockets.connect(address, subprotocols=offered) as connection:
            assert connection.subprotocol is None
            assert (await Client(connection).closed())[0] == 4406


async def test_the_older_subprotocol_is_refused_with_a_sentence(port):
    address = f"ws://127.0.0.1:{port}/graphql"
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(address, subprotocols=["graphql-ws"])
    answer = refusal.value.response
    assert answer.status_code == 400
    assert answer.body.startswith(
        b"This server speaks the subprotocol graphql-transport-ws: use the library graphql-ws"
    )
    # Apollo's tools offer both.
    async with websockets.connect(address, subprotocols=["graphql-ws", "graphql-transport-ws"]) as connection:
        assert connection.subprotocol == "graphql-transport-ws"


async def test_origins_are_checked_before_the_socket_is_accepted():
    async with serving(allowed_origins=frozenset({"https://app.example"})) as (port, _):
        for origin, allowed in (
            (f"http://127.0.0.1:{port}", True), ("https://app.example", True), (None, True),
            ("https://evil.example", False), ("null", False), ("http://127.0.0.1:1", False),
        ):  # fmt: skip
            if allowed:
                async with connected(port, origin=origin):
                    continue
            with pytest.raises(websockets.InvalidStatus) as refusal:
                async with connected(port, origin=origin):
                    pass
            assert refusal.value.response.status_code == 403


def test_the_own_origin_is_recognised_by_scheme_host_and_port():
    for origin, host, own in (
        (b"https://waymark.example", b"waymark.example", True),
        (b"https://WAYMARK.example:443", b"waymark.example", True),
        (b"http://waymark.example:8000", b"waymark.example:8000", True),
        (b"http://waymark.example:8000", b"waymark.example:8001", False),
        (b"https://waymark.example.evil", b"waymark.example", False),
        (b"https://evil/waymark.example", b"waymark.example", False),
        (b"file://", b"", False),
        (b"https://[bad", b"waymark.example", False),
        (b"", b"", False),
    ):
        assert is_origin_allowed(origin, host, frozenset()) is own, origin


async def test_the_number_of_open_connections_is_limited():
    async with serving(limits=Limits(connections=1)) as (port, endpoint):
        async with connected(port):
            assert endpoint.open_sockets == 1
            with pytest.raises(websockets.InvalidStatus):
                async with connected(port):
                    pass
        await until(lambda: not endpoint.open_sockets)
        async with connected(port):
            pass
