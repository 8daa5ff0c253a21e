"""Which trace an operation joins: a browser's WebSocket and EventSource cannot set the header `traceparent`."""

import json

import httpx2 as httpx
import pytest

from tests.support.minimal_schema import serving, until
from tests.support.socket_client import INIT, connected, subscribe

QUERY = "{__typename}"
EVENT = "subscription {kpisChanged(n: 1, pause: 0) {learnerCount}}"


def caller(digits):
    """The names of W3C Trace Context as a caller sends them."""
    return {"traceparent": f"00-{digits * 16}-{digits * 8}-01", "tracestate": f"vendor={digits}"}


@pytest.fixture(scope="module")
async def running():
    """The port of a server, and what its operations have logged."""
    async with serving() as (port, endpoint):
        logs = []
        endpoint.runner.on_complete = logs.append
        yield port, logs


async def logged(logs):
    await until(lambda: logs)
    (log,) = logs
    logs.clear()
    return dict(log.trace)


@pytest.mark.parametrize(
    ("headers", "init", "extensions", "joined"),
    [
        ({}, {}, None, {}),
        (caller("aa"), {}, {}, caller("aa")),
        (caller("aa"), caller("bb"), None, caller("bb")),
        (caller("aa"), caller("bb"), caller("cc"), caller("cc")),
        ({}, {}, caller("cc"), caller("cc")),
        # What no tracer sends is as if it were not there.
        ({}, caller("bb"), {"traceparent": 7, "tracestate": "x=y"}, caller("bb")),
        ({}, caller("bb"), {"traceparent": "é"}, caller("bb")),
        ({}, {"traceparent": "0" * 600}, {"tracestate": "x=y"}, {}),
    ],
)
@pytest.mark.parametrize("query", [QUERY, EVENT])
async def test_an_operation_of_a_websocket_joins_the_nearest_trace(running, query, headers, init, extensions, joined):
    port, logs = running
    hello = {**INIT, "payload": {**INIT["payload"], **init}}
    async with connected(port, hello, additional_headers=headers) as client:
        await client.send(subscribe("1", query, extensions=extensions))
        assert (await client.receive())["type"] == "next"
        assert await logged(logs) == joined


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "extensions", "joined"),
    [({}, None, {}), ({}, caller("cc"), caller("cc")), (caller("aa"), caller("cc"), caller("aa"))],
)
async def test_an_event_stream_joins_the_trace_of_its_headers_or_else_of_its_extensions(
    running, method, headers, extensions, joined
):
    port, logs = running
    headers = {"accept": "text/event-stream", "authorization": "Bearer 7", **headers}
    body = {"query": EVENT, "extensions": extensions}
    if method == "GET":
        sent = {"params": {"query": EVENT, "extensions": json.dumps(extensions)}}
    else:
        sent = {"json": body}
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.request(method, f"http://127.0.0.1:{port}/graphql", headers=headers, **sent)
    assert answer.status_code == 200 and "event: complete" in answer.text
    assert await logged(logs) == joined
