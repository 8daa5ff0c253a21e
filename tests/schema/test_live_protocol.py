"""graphql-transport-ws against a real server: close codes, origins, sign-ins that end, slow readers."""

import asyncio
import contextlib
import json

import psutil
import pytest
import websockets

from schema.http import Limits
from schema.http.origins import origin_allowed
from tests.schema.toy import Toy, serving, until

PROTOCOL = "graphql-transport-ws"
INIT = {"type": "connection_init", "payload": {"authorization": "Bearer 7"}}
LONG = "subscription {kpisChanged(n: 1000) {learnerCount}}"


@pytest.fixture
async def port():
    async with serving() as (port, _):
        yield port


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


@pytest.mark.parametrize(
    ("init", "messages", "code"),
    [
        (None, [subscribe("1", "{__typename}")], 4401),
        (INIT, [INIT], 4429),
        (None, [{"type": "connection_init", "payload": {"authorization": "Bearer bad"}}], 4403),
        (None, [{"type": "connection_init", "payload": {"authorization": 7}}], 4403),
        (None, [{"type": "connection_init", "payload": "x"}], 4400),
        (INIT, ["{nope"], 4400),
        (INIT, [b'{"type":"ping"}'], 4400),
        (INIT, ["[" * 50_000], 4400),
        (INIT, ["1"], 4400),
        (INIT, [{"id": "1"}], 4400),
        (INIT, [{"type": 1}], 4400),
        (INIT, [{"type": "start"}], 4400),
        (INIT, [{"type": "subscribe", "payload": {"query": "{__typename}"}}], 4400),
        (INIT, [subscribe("", "{__typename}")], 4400),
        (INIT, [{"id": "1", "type": "subscribe"}], 4400),
        (INIT, [subscribe("1", None)], 4400),
        (INIT, [subscribe("1", 7)], 4400),
        (INIT, [subscribe("1", "{__typename}", variables=[])], 4400),
        (INIT, [subscribe("1", "{__typename}", operationName={})], 4400),
        (INIT, [subscribe("1", LONG), subscribe("1", LONG)], 4409),
        (INIT, [{"type": "complete"}], 4400),
        (INIT, [json.dumps({"type": "ping", "payload": {"x": "y" * 1_000_000}})], 1009),
    ],
)
async def test_each_mistake_has_its_close_code(port, init, messages, code):
    async with connected(port, init) as client:
        await client.send(*messages)
        assert (await client.closed())[0] == code


async def test_a_socket_that_does_not_sign_in_is_closed():
    async with serving(limits=Limits(init_seconds=0.1)) as (port, _), connected(port, None) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_only_the_one_subprotocol(port):
    address = f"ws://127.0.0.1:{port}/graphql"
    for offered in (["graphql-ws"], ["nonsense"], None):
        async with websockets.connect(address, subprotocols=offered) as connection:
            assert connection.subprotocol is None
            assert (await Client(connection).closed())[0] == 4406


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


def test_an_origin_is_ours_by_scheme_host_and_port():
    for origin, host, ours in (
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
        assert origin_allowed(origin, host, frozenset()) is ours, origin


async def test_a_query_is_answered_and_its_id_is_free_again(port):
    async with connected(port) as client:
        for _ in range(3):
            await client.send(subscribe("q", "{viewer {role}}"))
            answer = await client.receive()
            assert (answer["type"], answer["payload"]["data"]) == ("next", {"viewer": {"role": "ASSESSOR"}})
            assert await client.receive() == {"id": "q", "type": "complete"}


async def test_ping_is_answered_before_and_after_init(port):
    async with connected(port, None) as client:
        await client.send({"type": "ping"}, {"type": "pong"}, INIT, {"type": "ping", "payload": {}})
        assert [(await client.receive())["type"] for _ in range(3)] == ["pong", "connection_ack", "pong"]


async def test_a_subscription_ends_by_itself_or_when_it_is_told_to(port):
    async with connected(port) as client:
        await client.send(subscribe("s", "subscription {kpisChanged(n: 3, pause: 0) {learnerCount}}"))
        counts = [(await client.receive())["payload"]["data"]["kpisChanged"]["learnerCount"] for _ in range(3)]
        assert counts == [0, 1, 2]
        assert (await client.receive())["type"] == "complete"
        await client.send(subscribe("l", LONG))
        assert (await client.receive())["type"] == "next"
        await client.send({"id": "l", "type": "complete"}, {"id": "unknown", "type": "complete"}, {"type": "ping"})
        while (await client.receive())["type"] != "pong":
            pass
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connection.recv(), 0.3)


async def test_what_cannot_run_is_one_error_and_the_socket_stays(port):
    async with connected(port) as client:
        for query in (
            "{nothing}",
            "{{",
            "query Q($v: Int!) {number(value: $v)}",
            "{learners(first: 500) {totalCount}}",
        ):
            await client.send(subscribe("e", query))
            answer = await client.receive()
            assert (answer["type"], answer["id"]) == ("error", "e")
            assert answer["payload"][0]["message"]
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_who_is_not_signed_in_gets_one_message_on_a_socket_too(port):
    async with connected(port, {"type": "connection_init"}) as client:
        await client.send(subscribe("e", "{__schema {types {name}}}"))
        assert "Sign in to be told why" in (await client.receive())["payload"][0]["message"]


async def test_every_operation_and_every_event_has_a_context_of_its_own():
    toy = Toy()
    async with serving(toy) as (port, _), connected(port) as client:
        await client.send(subscribe("a", "subscription {contextNumber}"), subscribe("b", "{__typename}"))
        answers = [await client.receive() for _ in range(6)]
        assert sum(answer["type"] == "complete" for answer in answers) == 2
        # The socket's own, one for each operation, and one for each of three events.
        assert len(toy.contexts) == 1 + 2 + 3
        assert sum(context.closed for context in toy.contexts) == 5
    await until(lambda: all(context.closed for context in toy.contexts))


async def test_a_fault_in_a_stream_is_masked(port):
    async with connected(port) as client:
        await client.send(subscribe("s", "subscription {broken}"))
        assert (await client.receive())["payload"]["data"] == {"broken": 1}
        answer = await client.receive()
        assert answer["type"] == "error"
        assert answer["payload"][0]["message"] == "Something went wrong on our side."
        assert "Lovelace" not in json.dumps(answer)


async def test_a_socket_runs_only_so_many_operations():
    async with serving(limits=Limits(socket_operations=2)) as (port, _), connected(port) as client:
        await client.send(subscribe("1", LONG), subscribe("2", LONG), subscribe("3", LONG))
        while (answer := await client.receive())["id"] != "3":
            pass
        assert answer["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}


async def test_only_so_many_sockets_are_open():
    async with serving(limits=Limits(sockets=1)) as (port, view):
        async with connected(port):
            assert view.open_sockets == 1
            with pytest.raises(websockets.InvalidStatus):
                async with connected(port):
                    pass
        await until(lambda: not view.open_sockets)
        async with connected(port):
            pass


async def test_a_socket_ends_with_its_token_and_with_a_sign_out():
    toy = Toy(token_seconds=0.3)
    async with serving(toy, Limits(sign_in_check_seconds=0.05)) as (port, _):
        async with connected(port) as client:
            await client.send(subscribe("s", "subscription {kpisChanged(n: 1, pause: 60) {learnerCount}}"))
            assert await client.closed() == (4403, "Forbidden")
        toy.token_seconds = 900
        async with connected(port) as client:
            await client.send(subscribe("s", "subscription {kpisChanged(n: 1, pause: 60) {learnerCount}}"))
            await client.receive()
            toy.signed_out.add(7)
            assert await client.closed() == (4403, "Forbidden")


async def test_no_event_is_sent_after_a_sign_out():
    toy = Toy()
    async with serving(toy, Limits(sign_in_check_seconds=900)) as (port, _), connected(port) as client:
        await client.send(subscribe("s", LONG))
        await client.receive()
        toy.signed_out.add(7)
        # The event that was on its way at that moment, at most.
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(2):
                await asyncio.wait_for(client.connection.recv(), 10)
        assert (await client.closed())[0] == 4403


async def test_a_database_that_is_away_ends_no_sign_in():
    toy = Toy()
    async with serving(toy, Limits(sign_in_check_seconds=0.05)) as (port, _), connected(port) as client:

        async def away():
            raise ConnectionRefusedError(111, "refused")

        toy.contexts[0].still_signed_in = away
        await asyncio.sleep(0.2)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_a_server_that_stops_says_so():
    async with serving() as (port, view), connected(port) as client:
        view.end_streams()
        assert (await client.closed())[0] == 1001
        with pytest.raises(websockets.InvalidStatus):
            async with connected(port):
                pass


async def test_a_reader_who_does_not_read_costs_bounded_memory_and_is_dropped():
    limits = Limits(socket_queue=4, slow_reader_seconds=0.5)
    async with serving(limits=limits) as (port, view):
        before = psutil.Process().memory_info().rss
        async with connected(port, max_queue=1) as client:
            await client.send(subscribe("f", "subscription {flood}"))
            client.connection.transport.pause_reading()
            await until(lambda: not view.open_sockets)
            grown = psutil.Process().memory_info().rss - before
        assert grown < 30_000_000
