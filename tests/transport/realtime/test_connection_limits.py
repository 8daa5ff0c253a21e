"""Limits of WebSockets and event streams: idle ones of strangers keep nobody out, over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import websockets

from tests.support.minimal_schema import AppState, serving, until
from tests.support.socket_client import INIT, PROTOCOL, Client, connected, subscribe
from transport.graphql import Limits
from transport.realtime.connection_limits import OpenConnections, TooManyConnections

LIMITS = Limits()
IDLE = 300
ONE_ADDRESS = ["192.0.2.1"] * IDLE
MANY_NETWORKS = [f"2001:db8:{number:x}:1::1" for number in range(IDLE)]
LONG = "subscription {kpisChanged(n: 100000, pause: 0.05) {learnerCount}}"
STREAM = {"content-type": "application/json", "accept": "text/event-stream"}


def forwarded(address: str) -> dict[str, str]:
    """Headers of the test's proxy, which the server trusts because it is on 127.0.0.1."""
    return {"X-Forwarded-For": address}


def as_user(user: int) -> dict[str, object]:
    return {"type": "connection_init", "payload": {"authorization": f"Bearer {user}"}}


@contextlib.asynccontextmanager
async def idle_sockets(port: int, addresses: list[str]) -> AsyncIterator[list[websockets.ClientConnection]]:
    """Opens a WebSocket from each address, and sends nothing on any of them."""
    async with contextlib.AsyncExitStack() as stack:
        opened = []
        for address in addresses:
            connecting = websockets.connect(
                f"ws://127.0.0.1:{port}/graphql", subprotocols=[PROTOCOL], additional_headers=forwarded(address),
                close_timeout=1,
            )  # fmt: skip
            opened.append(await stack.enter_async_context(connecting))
        yield opened


async def collect(client: Client, into: list[dict[str, object]]) -> None:
    while True:
        into.append(await client.receive())


async def streamed(port: int, token: int, address: str) -> int:
    """Returns how many events of a subscription arrive over an event stream."""
    body = json.dumps({"query": "subscription {kpisChanged(n: 3, pause: 0) {learnerCount}}"})
    headers = {**STREAM, "authorization": f"Bearer {token}", **forwarded(address)}
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/graphql", content=body, headers=headers)
    return answer.text.count("event: next")


@pytest.mark.parametrize("addresses", [ONE_ADDRESS, MANY_NETWORKS], ids=["one address", "many networks"])
async def test_three_hundred_idle_sockets_keep_nobody_out(addresses: list[str]) -> None:
    async with serving() as (port, endpoint):
        # The viewer sits behind the attacker's address, and streams before, while and after the sockets are opened.
        async with connected(port, as_user(7), additional_headers=forwarded(addresses[0])) as before:
            await before.send(subscribe("s", LONG))
            events: list[dict[str, object]] = []
            counting = asyncio.create_task(collect(before, events))
            async with idle_sockets(port, addresses) as idle:
                expected = min(IDLE, LIMITS.connections_anonymous_network if addresses is ONE_ADDRESS else IDLE)
                assert endpoint.connections.anonymous == expected
                async with connected(port, as_user(8), additional_headers=forwarded(addresses[0])) as during:
                    await during.send(subscribe("q", "{viewer {role}}"))
                    assert (await during.receive())["payload"]["data"] == {"viewer": {"role": "ASSESSOR"}}
                assert await streamed(port, 9, addresses[0]) == 3
                # The oldest made room, with a code after which a client tries again.
                closed = [each for each in idle[: IDLE - expected] if (await Client(each).closed())[0] == 1013]
                assert len(closed) == IDLE - expected
                so_far = len(events)
                await until(lambda: len(events) > so_far)
            counting.cancel()
        await until(lambda: not endpoint.connections.open)


async def test_sockets_without_a_token_have_a_share_of_their_own() -> None:
    limits = Limits(connections=3, connections_anonymous=3)
    async with serving(limits=limits) as (port, endpoint), idle_sockets(port, MANY_NETWORKS[:5]) as idle:
        assert endpoint.connections.anonymous == 3
        assert [(await Client(each).closed())[0] for each in idle[:2]] == [1013, 1013]
        async with connected(port, as_user(7)) as one, connected(port, as_user(8)) as other:
            # A token ends the membership of the share: no number of others closes the connection any more.
            async with idle_sockets(port, MANY_NETWORKS[:9]):
                for client in (one, other):
                    await client.send({"type": "ping"})
                    assert await client.receive() == {"type": "pong"}
            assert endpoint.connections.anonymous <= 3


async def test_a_network_is_a_slash_64() -> None:
    async with serving(limits=Limits(connections_anonymous_network=2)) as (port, endpoint):
        same = [f"2001:db8:1:2:{number}::1" for number in range(5)]
        async with idle_sockets(port, [*same, "2001:db8:1:3::1"]) as idle:
            assert endpoint.connections.anonymous == 3
            assert [(await Client(each).closed())[0] for each in idle[:3]] == [1013] * 3


async def test_one_viewer_has_so_many_connections_and_others_have_theirs() -> None:
    state = AppState()
    async with serving(state, Limits(connections_viewer=2)) as (port, endpoint), contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(connected(port, as_user(7)))
        async with connected(port, None) as third:
            await third.send(as_user(7))
            assert await third.closed() == (1013, "Too many open connections: the limit is 2 for you.")
        # Event streams count too, and the refusal comes before the stream begins.
        headers = {**STREAM, "authorization": "Bearer 7"}
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(
                f"http://127.0.0.1:{port}/graphql", content=json.dumps({"query": LONG}), headers=headers
            )
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
        assert answer.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_CONNECTIONS"}
        assert endpoint.connections.refused == 2
        assert await streamed(port, 8, "192.0.2.1") == 3
        await stack.aclose()
        await until(lambda: not endpoint.connections.open)
        async with connected(port, as_user(7)):
            pass


async def test_one_network_has_so_many_connections_with_a_token() -> None:
    async with serving(limits=Limits(connections_network=1)) as (port, _):
        here, there = forwarded("192.0.2.1"), forwarded("192.0.2.2")
        async with connected(port, as_user(7), additional_headers=here):
            async with connected(port, None, additional_headers=here) as second:
                await second.send(as_user(8))
                assert (await second.closed())[0] == 1013
            async with connected(port, as_user(8), additional_headers=there):
                pass


async def test_a_connection_is_counted_until_it_is_closed() -> None:
    async with serving() as (port, endpoint):
        for init in (None, {"type": "connection_init"}, INIT):
            async with connected(port, init):
                await until(lambda: endpoint.connections.open == 1)
            await until(lambda: endpoint.connections.open == 0)
        async with connected(port, None) as client:
            await client.send({"type": "connection_init", "payload": {"authorization": "Bearer bad"}})
            assert (await client.closed())[0] == 4403
        await until(lambda: endpoint.connections.open == 0)


def test_the_counts_are_exact_and_leave_nothing_behind() -> None:
    connections = OpenConnections(Limits(connections_viewer=1, connections_anonymous=2))
    closed: list[str] = []
    first = connections.open_anonymous("a", lambda: closed.append("first"))
    second = connections.open_anonymous("b", lambda: closed.append("second"))
    connections.sign_in(second, 7)
    with pytest.raises(TooManyConnections, match="the limit is 1 for you"):
        connections.open_signed_in("c", 7)
    for network in "cd":
        connections.open_anonymous(network, lambda: closed.append("later"))
    # Evicted: closing it afterwards changes nothing.
    assert closed == ["first"]
    connections.close(first)
    assert (connections.anonymous, connections.open) == (2, 3)
    connections.close(second)
    assert (connections.anonymous, connections.open) == (2, 2)
    assert connections.open_signed_in("c", 7).viewer == 7
    assert set(connections._of_viewer) == {7} and set(connections._of_network) == {"c"}


async def test_a_socket_that_is_evicted_during_its_sign_in_is_closed() -> None:
    state = AppState()
    async with serving(state, Limits(connections_anonymous=1)) as (port, endpoint):
        make_context, entered = state.make_context, asyncio.Event()

        async def slowly(connection):
            entered.set()
            await asyncio.sleep(0.3)
            return await make_context(connection)

        endpoint.runner.make_context = slowly
        async with connected(port, None) as client:
            await client.send(as_user(7))
            await entered.wait()
            async with idle_sockets(port, MANY_NETWORKS[:1]):
                assert (await client.closed())[0] == 1013
        await until(lambda: endpoint.connections.open == 0)
