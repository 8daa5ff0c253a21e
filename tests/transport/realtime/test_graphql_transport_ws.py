"""graphql-transport-ws against a real server: close codes, origins, sign-ins that end, slow readers."""

import asyncio
import contextlib
import json

import pytest
import websockets

from tests.support.minimal_schema import Toy, serving, until
from tests.support.socket_client import INIT, connected, subscribe
from transport.graphql import Limits

LONG = "subscription {kpisChanged(n: 1000) {learnerCount}}"


@pytest.fixture
async def port():
    async with serving() as (port, _):
        yield port


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


async def test_every_operation_has_a_context_of_its_own_and_every_event_a_fresh_look_at_the_viewer():
    toy = Toy()
    async with serving(toy) as (port, _), connected(port) as client:
        await client.send(subscribe("a", "subscription {kpisChanged(n: 3, pause: 0) {learnerCount}}"))
        await client.send(subscribe("b", "{__typename}"), subscribe("c", "{__typename}"))
        answers = [await client.receive() for _ in range(8)]
        assert sum(answer["type"] == "complete" for answer in answers) == 3
        # The socket's own, and one for each operation.
        assert len(toy.contexts) == 1 + 3
        assert sum(context.closed for context in toy.contexts) == 3
        # Before each of three events, and at the end.
        assert max(context.checks for context in toy.contexts[1:]) == 4
    await until(lambda: all(context.closed for context in toy.contexts))


async def test_who_is_not_signed_in_is_told_so_and_keeps_the_socket(port):
    async with connected(port, {"type": "connection_init"}) as client:
        await client.send(subscribe("s", "subscription {wantsViewer}"))
        answer = await client.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]) == ("error", {"code": "UNAUTHENTICATED"})
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


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


async def test_what_was_asked_once_is_answered_before_a_server_stops():
    toy = Toy()
    async with serving(toy) as (port, view), connected(port) as client:
        await client.send(subscribe("s", LONG), subscribe("m", "mutation {changeSlowly}"))
        assert (await client.receive())["type"] == "next"
        view.end_streams()
        while (answer := await client.receive())["id"] != "m":
            pass
        assert answer["payload"]["data"] == {"changeSlowly": 1}
        assert (await client.closed())[0] == 1001


async def test_a_reader_who_does_not_read_is_dropped():
    limits = Limits(socket_queue=4, slow_reader_seconds=0.5)
    async with serving(limits=limits) as (port, view), connected(port, max_queue=1) as client:
        await client.send(subscribe("f", "subscription {flood}"))
        client.connection.transport.pause_reading()
        await until(lambda: not view.open_sockets)
