"""GraphQL over HTTP: media types, methods, malformed requests, and requests that need a preflight."""

import json

import httpx2 as httpx
import pytest

from tests.support.minimal_schema import AppState, make_app
from transport.graphql import Limits
from transport.graphql.negotiation import PREFLIGHT_HEADERS

JSON = {"content-type": "application/json"}
SIGNED = {**JSON, "authorization": "Bearer 7"}
GRAPHQL = "application/graphql-response+json"


@pytest.fixture
def state():
    return AppState()


@pytest.fixture
async def client(state):
    app, _, _ = make_app(state, Limits(body_bytes=10_000, discard_bytes=50_000))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def post(client, query, accept=None, headers=SIGNED, **more):
    accepted = {"accept": accept} if accept else {}
    return await client.post("/graphql", content=json.dumps({"query": query, **more}), headers={**headers, **accepted})


async def test_answers_in_the_media_type_that_comes_first(client):
    for accept, media_type in {
        "application/json": "application/json",
        GRAPHQL: GRAPHQL,
        "*/*": "application/json",
        f"application/json;q=0.5, {GRAPHQL}": GRAPHQL,
        f"{GRAPHQL};q=0, application/json": "application/json",
        # What urql sends: the stream at the end is for subscriptions, not for queries.
        f"{GRAPHQL}, application/graphql+json, application/json, text/event-stream, multipart/mixed": GRAPHQL,
        "*/*, text/event-stream": "application/json",
    }.items():
        answer = await post(client, "{viewer{role}}", accept)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{media_type}; charset=utf-8", accept
        assert answer.json()["data"] == {"viewer": {"role": "ASSESSOR"}}


async def test_an_accept_header_without_an_offered_type_is_406(client):
    for accept in (
        "text/html",
        "image/png, application/xml",
        "application/json;charset=latin-1",
        "application/json;q=0",
    ):
        answer = await post(client, "{viewer{role}}", accept)
        assert (answer.status_code, "data" in answer.json()) == (406, False), accept


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{", None),
        ("{nothing}", None),
        ("query Q($v: Int!) {number(value: $v)}", {"v": "one"}),
        ("query Q($v: Int!) {number(value: $v)}", {}),
        ("query A {viewer{role}} query B {viewer{role}}", None),
    ],
)
async def test_what_cannot_run_has_no_data(client, query, variables):
    for accept, status in ((GRAPHQL, 400), ("application/json", 200)):
        answer = await post(client, query, accept, variables=variables)
        assert answer.status_code == status
        assert "data" not in answer.json()
        assert answer.json()["errors"][0]["extensions"]["code"] in ("GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"1", b'"x"', b"null", b"[]", b"[1,2]", b'[{"query":"{viewer{role}}"}]', b"{}", b'{"query":null}',
        b'{"query":1}', b'{"query":""}', b"{", b'{"query":"{viewer{role}}"} x', b"\xff\xfe{}",
        b'{"query":"{viewer{role} \xff}"}', b'{"query":"{viewer{role}}","variables":{"a":NaN}}',
        b'{"query":"{viewer{role}}","variables":{"a":Infinity}}', b'{"query":"{viewer{role}}","variables":[]}',
        b'{"query":"{viewer{role}}","variables":"{}"}', b'{"query":"{viewer{role}}","extensions":1}',
        b'{"query":"{viewer{role}}","operationName":{"a":1}}', b'{"query":"{viewer{role}}","documentId":7}',
        b'{"query":"{learner(id:\\"\\ud800\\"){id}}"}',
        b'{"query":"{viewer{role}}","extensions":{"persistedQuery":1}}',
        b'{"query":"{viewer{role}}","extensions":{"persistedQuery":{"version":1,"sha256Hash":1}}}',
        b'{"query":"{viewer{role}}","variables":{"a":' + b"[" * 65 + b"]" * 65 + b"}}",
        b'{"query":"{viewer{role}}","variables":{"a":' + b"[" * 4000 + b"]" * 4000 + b"}}",
    ],
)  # fmt: skip
async def test_a_wrong_shape_is_400_with_a_sentence(client, state, body):
    for accept in (GRAPHQL, "application/json"):
        answer = await client.post("/graphql", content=body, headers={**SIGNED, "accept": accept})
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        assert error["message"].endswith(".")
        assert "data" not in answer.json()
    assert state.contexts == []


async def test_a_long_string_of_brackets_is_not_deep(client):
    answer = await post(client, "query Q($v: String) {learners(after: $v) {totalCount}}", variables={"v": "[{" * 200})
    assert answer.json()["data"] == {"learners": {"totalCount": 900}}


@pytest.mark.parametrize(
    "content_type",
    [
        None, "text/plain", "text/plain; a=application/json", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b", "application/graphql", "application/json; charset=latin-1",
        "application/jsonx",
    ],
)  # fmt: skip
async def test_a_body_that_is_not_json_is_415_and_runs_nothing(client, state, content_type):
    headers = {"content-type": content_type} if content_type else {}
    answer = await client.post("/graphql", content=b'{"query":"mutation{change}"}', headers=headers)
    assert answer.status_code == 415
    assert state.changes == 0


async def test_an_encoded_body_is_415(client, state):
    answer = await client.post("/graphql", content=b"{}", headers={**JSON, "content-encoding": "gzip"})
    assert answer.status_code == 415


async def test_other_methods_are_405_with_the_allowed_ones(client):
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
        answer = await client.request(method, "/graphql", headers=JSON)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST"), method


async def test_a_get_needs_a_header_that_requires_a_preflight(client, state):
    address = {"query": "query Q($v: Int!) {number(value: $v)}", "variables": '{"v": 3}'}
    # A browser adds the password of Basic by itself.
    for authorization in ({}, {"authorization": "Basic OjE="}):
        plain = await client.get("/graphql", params=address, headers=authorization)
        assert plain.status_code == 403
    assert state.contexts == []
    for header in map(bytes.decode, PREFLIGHT_HEADERS):
        answer = await client.get("/graphql", params=address, headers={header: "true"})
        assert answer.status_code == 200
    answer = await client.get("/graphql", params=address, headers={"authorization": "Bearer 7"})
    assert answer.json()["data"] == {"number": 3}
    answer = await client.get("/graphql", params=address, headers=SIGNED)
    assert answer.json()["data"] == {"number": 3}


async def test_a_get_runs_no_mutation(client, state):
    answer = await client.get("/graphql", params={"query": "mutation {change}"}, headers=SIGNED)
    assert (answer.status_code, answer.headers["allow"], state.changes) == (405, "POST", 0)
    stream = await client.get(
        "/graphql", params={"query": "mutation {change}"}, headers={**SIGNED, "accept": "text/event-stream"}
    )
    assert state.changes == 0 and "data" in stream.text and "BAD_REQUEST" in stream.text


@pytest.mark.parametrize(
    "address", ["query={viewer{role}}&query={a}", "variables=1", "query=%ff", "query={a}&variables={"]
)
async def test_a_get_of_a_wrong_shape_is_400(client, address):
    answer = await client.get(f"/graphql?{address}", headers=JSON)
    assert answer.status_code == 400


async def test_a_body_over_the_limit_is_413(client, state):
    for size in (10_001, 60_000):
        answer = await client.post("/graphql", content=b"x" * size, headers=JSON)
        assert answer.status_code == 413
        assert ("connection" in answer.headers) == (size > 50_000)
    assert state.contexts == []


async def test_a_body_of_unknown_length_over_the_limit_is_413_and_not_read_to_its_end(client):
    sent = []

    async def parts():
        for _ in range(100):
            sent.append(1)
            yield b"x" * 5_000

    answer = await client.post("/graphql", content=parts(), headers=JSON)
    assert answer.status_code == 413
    assert len(sent) < 20


async def test_a_body_that_does_not_arrive_is_408():
    app, _, _ = make_app(AppState(), Limits(body_seconds=0.05))
    sent = []

    async def receive():
        if not sent:
            sent.append(1)
            return {"type": "http.request", "body": b'{"query"', "more_body": True}
        raise TimeoutError

    answers = []

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "scheme": "http", "root_path": "",
        "headers": [(b"content-type", b"application/json")], "http_version": "1.1",
    }  # fmt: skip
    await app(scope, receive, send)
    assert answers[0]["status"] == 408


async def test_an_operation_is_chosen_by_its_name(client):
    two = "query A {number(value: 1)} query B {number(value: 2)}"
    assert (await post(client, two, operationName="B")).json()["data"] == {"number": 2}
    for name, message in (
        ("C", "operationName must name an operation of the document."),
        (None, "operationName is required: the document has several operations."),
    ):
        assert (await post(client, two, operationName=name)).json()["errors"][0]["message"] == message


async def test_a_subscription_needs_a_stream(client):
    answer = await post(client, "subscription {kpisChanged {learnerCount}}", GRAPHQL)
    assert answer.status_code == 400
    assert "text/event-stream" in answer.json()["errors"][0]["message"]


async def test_every_context_is_closed(client, state):
    for query in (
        "{viewer{role}}",
        "{nothing}",
        "{fails}",
        "{learners(first: 1000) {totalCount}}",
        "mutation {change}",
    ):
        await post(client, query)
    assert len(state.contexts) == 5
    assert all(context.closed for context in state.contexts)
