"""graphql-transport-ws against a real server: close codes, operations, the end of sessions, slow clients."""

import asyncio
import contextlib
import json

import pytest
import websockets

from tests.support.minimal_schema import AppState, serving, until
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
        (INIT, [subscribe("é" * 100, LONG), subscribe("é" * 100, LONG)], 4409),
        (INIT, [{"type": "complete"}], 4400),
        (INIT, [json.dumps({"type": "ping", "payload": {"x": "y" * 1_000_000}})], 1009),
        # Before a token nothing long is decoded, and with one it is charged.
        (None, [json.dumps({"type": "ping", "payload": {"x": "y" * 40_000}})], 1009),
        (INIT, [json.dumps({"type": "ping", "payload": {"x": "y" * 600_000}})] * 2, 1013),
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


async def test_a_subscription_ends_by_itself_or_when_the_client_completes_it(port):
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


async def test_a_rejected_operation_is_an_error_and_the_connection_stays_open(port):
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


async def test_anonymous_callers_get_a_generic_message_on_a_websocket_too(port):
    async with connected(port, {"type": "connection_init"}) as client:
        await client.send(subscribe("e", "{__schema {types {name}}}"))
        assert (await client.receive())["payload"][0]["message"].startswith("Sign in first")


async def test_every_operation_has_its_own_context_and_the_viewer_is_read_for_every_event():
    state = AppState()
    async with serving(state) as (port, _), connected(port) as client:
        await client.send(subscribe("a", "subscription {kpisChanged(n: 3, pause: 0) {learnerCount}}"))
        await client.send(subscribe("b", "{__typename}"), subscribe("c", "{__typename}"))
        answers = [await client.receive() for _ in range(8)]
        assert sum(answer["type"] == "complete" for answer in answers) == 3
        # One of the connection, and one of each operation.
        assert len(state.contexts) == 1 + 3
        assert sum(context.closed for context in state.contexts) == 3
        # Before each of three events, and at the end.
        assert max(context.checks for context in state.contexts[1:]) == 4
    await until(lambda: all(context.closed for context in state.contexts))


async def test_an_unauthenticated_operation_keeps_the_connection_open(port):
    async with connected(port, {"type": "connection_init"}) as client:
        await client.send(subscribe("s", "subscription {wantsViewer}"))
        answer = await client.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]) == ("error", {"code": "UNAUTHENTICATED"})
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_an_exception_in_a_subscription_is_masked(port):
    async with connected(port) as client:
        await client.send(subscribe("s", "subscription {broken}"))
        assert (await client.receive())["payload"]["data"] == {"broken": 1}
        answer = await client.receive()
        assert answer["type"] == "error"
        assert answer["payload"][0]["message"] == "Something went wrong on our side."
        assert "Lovelace" not in json.dumps(answer)


async def test_the_number_of_operations_at_once_is_limited():
    async with serving(limits=Limits(socket_operations=2)) as (port, _), connected(port) as client:
        await client.send(subscribe("1", LONG), subscribe("2", LONG), subscribe("3", LONG))
        while (answer := await client.receive())["id"] != "3":
            pass
        assert answer["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}


async def test_a_connection_ends_with_its_token_and_with_a_sign_out():
    state = AppState(token_seconds=0.3)
    async with serving(state, Limits(sign_in_check_seconds=0.05)) as (port, _):
        async with connected(port) as client:
            await client.send(subscribe("s", "subscription {kpisChanged(n: 1, pause: 60) {learnerCount}}"))
            assert await client.closed() == (4403, "Forbidden")
        state.token_seconds = 900
        async with connected(port) as client:
            await client.send(subscribe("s", "subscription {kpisChanged(n: 1, pause: 60) {learnerCount}}"))
            await client.receive()
            state.signed_out.add(7)
            assert await client.closed() == (4403, "Forbidden")


async def test_no_event_is_sent_after_a_sign_out():
    state = AppState()
    async with serving(state, Limits(sign_in_check_seconds=900)) as (port, _), connected(port) as client:
        await client.send(subscribe("s", LONG))
        await client.receive()
        state.signed_out.add(7)
        # At most the event that was being sent at that moment.
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(2):
                await asyncio.wait_for(client.connection.recv(), 10)
        assert (await client.closed())[0] == 4403


async def test_an_outage_does_not_end_a_session():
    state = AppState()
    async with serving(state, Limits(sign_in_check_seconds=0.05)) as (port, _), connected(port) as client:

        async def fail():
            raise ConnectionRefusedError(111, "refused")

        state.contexts[0].still_signed_in = fail
        await asyncio.sleep(0.2)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_a_server_that_stops_closes_connections():
    async with serving() as (port, endpoint), connected(port) as client:
        endpoint.end_streams()
        assert (await client.closed())[0] == 1001
        with pytest.raises(websockets.InvalidStatus):
            async with connected(port):
                pass


async def test_a_mutation_is_answered_before_a_server_stops():
    state = AppState()
    async with serving(state) as (port, endpoint), connected(port) as client:
        await client.send(subscribe("s", LONG), subscribe("m", "mutation {changeSlowly}"))
        assert (await client.receive())["type"] == "next"
        endpoint.end_streams()
        while (answer := await client.receive())["id"] != "m":
            pass
        assert answer["payload"]["data"] == {"changeSlowly": 1}
        assert (await client.closed())[0] == 1001


@pytest.mark.long
async def test_a_client_that_does_not_read_is_disconnected():
    limits = Limits(socket_queue=4, slow_reader_seconds=0.5)
    async with serving(limits=limits) as (port, endpoint), connected(port, max_queue=1) as client:
        await client.send(subscribe("f", "subscription {flood}"))
        client.connection.transport.pause_reading()
        await until(lambda: not endpoint.open_sockets)
