"""graphql-sse in distinct connections mode against a real server: events, heartbeats, and how a stream ends."""

import asyncio
import json
import socket

import httpx2 as httpx
import pytest

from tests.support.minimal_schema import AppState, serving, until
from transport.graphql import Limits

LONG = "subscription {kpisChanged(n: 1000) {learnerCount}}"


@pytest.fixture
async def port():
    async with serving() as (port, _):
        yield port


STREAM = {"content-type": "application/json", "accept": "text/event-stream", "authorization": "Bearer 7"}


async def events(port, query, headers=STREAM, method="POST"):
    """Yields the events of a stream as (name, data), and comments as (None, text)."""
    async with httpx.AsyncClient(timeout=10) as client:
        given = {"content": json.dumps({"query": query})} if method == "POST" else {"params": {"query": query}}
        async with client.stream(method, f"http://127.0.0.1:{port}/graphql", headers=headers, **given) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            name = None
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    yield name, json.loads(line[5:]) if line[5:].strip() else None
                elif line.startswith(":"):
                    yield None, line


async def collected(*arguments, **named):
    return [event async for event in events(*arguments, **named) if event[0]]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_stream_gives_each_event_and_then_completes(port, method):
    found = await collected(port, "subscription {kpisChanged(n: 3, pause: 0) {learnerCount}}", method=method)
    assert [name for name, _ in found] == ["next", "next", "next", "complete"]
    assert [data["data"]["kpisChanged"]["learnerCount"] for _, data in found[:3]] == [0, 1, 2]


async def test_a_gateway_reads_a_stream_with_its_token_alone(port):
    found = await collected(
        port, "subscription {kpisChanged(n: 1, pause: 0) {learnerCount}}", method="GET",
        headers={"accept": "text/event-stream", "authorization": "Bearer 7"},
    )  # fmt: skip
    assert [name for name, _ in found] == ["next", "complete"]


async def test_a_query_on_a_stream_is_one_event(port):
    (_, answer), (last, nothing) = await collected(port, "{viewer {role}}")
    assert (answer["data"], last, nothing) == ({"viewer": {"role": "ASSESSOR"}}, "complete", None)


async def test_a_rejected_operation_is_an_event(port):
    (name, answer), (last, _) = await collected(port, "{nothing}")
    assert (name, last, "data" in answer) == ("next", "complete", False)
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_subscription_is_streamed_if_accept_allows_it_at_all(port):
    headers = {**STREAM, "accept": "application/graphql-response+json, application/json, text/event-stream"}
    assert len(await collected(port, "subscription {kpisChanged(n: 2, pause: 0) {learnerCount}}", headers)) == 3


async def test_a_stream_is_kept_alive_with_comments():
    async with serving(limits=Limits(keep_alive_seconds=0.05)) as (port, _):
        found = [event async for event in events(port, "subscription {kpisChanged(n: 1, pause: 0.4) {learnerCount}}")]
        assert sum(name is None for name, _ in found) >= 3


async def test_a_stream_ends_with_its_token_and_with_a_sign_out():
    state = AppState(token_seconds=0.3)
    async with serving(state, Limits(sign_in_check_seconds=0.05)) as (port, _):
        endless = "subscription {kpisChanged(n: 1, pause: 60) {learnerCount}}"
        for signing_out in (False, True):
            found = []
            async for name, data in events(port, endless):
                if name:
                    found.append((name, data))
                if signing_out:
                    state.signed_out.add(7)
            assert found[-2][1]["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
            assert found[-1] == ("complete", None)
            state.token_seconds = 900


async def test_a_bad_token_is_401_on_a_stream_too(port):
    async with httpx.AsyncClient() as client:
        address = f"http://127.0.0.1:{port}/graphql"
        answer = await client.post(
            address, content=b'{"query":"{a}"}', headers={**STREAM, "authorization": "Bearer bad"}
        )
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json; charset=utf-8")


async def test_a_stream_ends_when_its_client_disconnects_or_the_server_stops():
    state = AppState()
    async with serving(state) as (port, endpoint):
        async for _ in events(port, LONG):
            assert endpoint.open_streams == 1
            break
        await until(lambda: not endpoint.open_streams)
        assert all(context.closed for context in state.contexts)
        reading = asyncio.create_task(collected(port, LONG))
        await until(lambda: endpoint.open_streams)
        endpoint.end_streams()
        assert (await asyncio.wait_for(reading, 10))[-1] == ("complete", None)
        assert all(context.closed for context in state.contexts)


async def test_a_stream_that_is_not_read_is_closed():
    async with serving(limits=Limits(slow_reader_seconds=0.5)) as (port, endpoint):
        body = json.dumps({"query": "subscription {flood}"}).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in STREAM.items())
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(
                f"POST /graphql HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            )
            await until(lambda: endpoint.open_streams)
            await until(lambda: not endpoint.open_streams)
