"""Error responses: without a session, for unexpected exceptions and for outages; logs, metrics and headers."""

import io
import json

import httpx2 as httpx
import pytest
import structlog

from tests.support.minimal_schema import AppState, make_app
from transport.graphql import Limits
from transport.observability import logs

JSON = {"content-type": "application/json"}
SIGNED = {**JSON, "authorization": "Bearer 7"}
GRAPHQL = {"accept": "application/graphql-response+json"}
SECRETS = ("secret", "Lovelace", "Traceback", ".py", "select", "OperationalError")


@pytest.fixture
def state():
    return AppState()


def client_of(state, limits=None, **options):
    app, _, _ = make_app(state, limits, **options)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test")


@pytest.fixture
async def client(state):
    async with client_of(state) as client:
        yield client


@pytest.fixture
def lines():
    """Returns the log lines of the test, decoded."""
    stream = io.BytesIO()
    logs.set_up(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


async def ask(client, query, headers=SIGNED, **more):
    return await client.post("/graphql", content=json.dumps({"query": query, **more}), headers=headers)


async def test_a_bad_token_is_401(client):
    answer = await ask(client, "{__typename}", {**JSON, "authorization": "Bearer bad"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "data" not in answer.json()


PASSWORD = "hunter2-hunter2"
IN_VARIABLES = "query Q($v: Int!) {number(value: $v)}"


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        (IN_VARIABLES, {"v": PASSWORD}, "Variable '$v' has invalid value: Int cannot represent non-integer value."),
        (IN_VARIABLES, {"v": [PASSWORD]}, "Variable '$v' has invalid value: Int cannot represent non-integer value."),
        ("mutation M($i: SignIn!) {signIn(input: $i)}", {"i": {"password": PASSWORD}},
         "Variable '$i' has invalid value: Expected value of type 'SignIn' to include required field 'name'."),
        ("mutation M($i: SignIn!) {signIn(input: $i)}", {"i": PASSWORD},
         "Variable '$i' has invalid value: Expected value of type 'SignIn' to be an object."),
        ("mutation M($i: SignIn!) {signIn(input: $i)}", {"i": {"name": "a", "password": "b", "day": PASSWORD}},
         "Variable '$i' has invalid value at .day: Value cannot represent a Date."),
        ("mutation M($i: SignIn!) {signIn(input: $i)}", {"i": {"name": "a", "password": "b", "kind": PASSWORD}},
         "Variable '$i' has invalid value at .kind: The value does not exist in 'Kind' enum."),
        (f'{{number(value: "{PASSWORD}")}}', None, "Int cannot represent non-integer value."),
        (f'mutation {{signIn(input: {{password: "{PASSWORD}"}})}}', None,
         "Expected value of type 'SignIn' to include required field 'name'."),
        (f'{{number("{PASSWORD}")}}', None, "Syntax Error: Expected Name, found String."),
        (f'{{number(value: 1)}} "" "{PASSWORD}"', None, "Syntax Error: Unexpected String."),
        (f'{{number(value: 1) "{PASSWORD}"}}', None, "Syntax Error: Expected Name, found String."),
    ],
)  # fmt: skip
async def test_no_message_repeats_a_submitted_value(client, query, variables, expected):
    response = await ask(client, query, variables=variables)
    messages = [error["message"] for error in response.json()["errors"]]
    assert expected in messages
    assert "hunter2" not in response.text


@pytest.mark.parametrize("field", ["query", "operationName", "variables", "extensions", "documentId"])
async def test_no_message_of_a_wrong_shape_repeats_a_submitted_value(client, field):
    for body in ({"query": "{__typename}", field: [PASSWORD]}, {"query": "{__typename}", PASSWORD: 1, field: 7}):
        response = await client.post("/graphql", content=json.dumps(body), headers=SIGNED)
        assert response.status_code == 400
        assert response.json()["errors"][0]["message"].startswith(f"{field} must be ")
        assert "hunter2" not in response.text
    for query in (f"{PASSWORD}=1&{PASSWORD}=2", f"variables={{{PASSWORD}", f"variables={PASSWORD}"):
        response = await client.get(f"/graphql?{query}", headers=SIGNED)
        assert response.status_code == 400
        assert "hunter2" not in response.text


async def test_signed_in_callers_and_the_demo_may_introspect_and_get_suggestions(client, state):
    from graphql import get_introspection_query

    query = get_introspection_query(specified_by_url=True, input_value_deprecation=True)
    first = (await ask(client, query)).json()
    assert first["data"]["__schema"]["queryType"]["name"] == "Query"
    assert (await ask(client, query)).json()["data"] == first["data"]
    assert "Did you mean" in (await ask(client, "{learnrs{totalCount}}")).json()["errors"][0]["message"]
    async with client_of(state, open_introspection=True) as demo:
        assert (await ask(demo, query, JSON)).json()["data"] == first["data"]
        assert "Did you mean" in (await ask(demo, "{learnrs{totalCount}}", JSON)).json()["errors"][0]["message"]


async def test_a_fault_of_ours_is_masked_and_logged_with_its_stack(client, lines):
    answer = await ask(client, "{fails number(value: 1)}", {**SIGNED, "x-request-id": "request-17"})
    assert answer.status_code == 200
    assert answer.json()["data"] == {"fails": None, "number": 1}
    (error,) = answer.json()["errors"]
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "request-17"}
    assert error["path"] == ["fails"]
    (logged,) = [line for line in lines() if line["event"] == "unhandled_exception"]
    assert logged["request_id"] == "request-17"
    assert logged["frames"][0] == "builtins.ValueError"
    assert any("minimal_schema.py" in line for line in logged["frames"])
    assert not any(secret in json.dumps(lines()) for secret in ("secret", "Lovelace"))


async def test_a_result_that_does_not_fit_its_type_is_an_internal_error(client):
    assert (await ask(client, "{tooBig}")).json()["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_an_exception_outside_any_field_is_500_and_masked(client, state):
    state.fault = ValueError("the secret of Ada Lovelace")
    answer = await ask(client, "{__typename}")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert not any(secret in answer.text for secret in SECRETS)


async def test_public_errors_keep_their_messages(client):
    (error,) = (await ask(client, '{fails(how: "coded")}')).json()["errors"]
    assert (error["message"], error["extensions"]) == ("Choose another.", {"code": "BAD_USER_INPUT"})
    (error,) = (await ask(client, '{fails(how: "public")}')).json()["errors"]
    assert error["message"] == "how: Choose another."
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "how"}
    (error,) = (await ask(client, '{fails(how: "refused")}')).json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "reasons": ["NOT_FOUND"]}
    (error,) = (await ask(client, "query Q($v: Int = 1) {number(value: $v)}", variables={"v": None})).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("database", 503, "SERVICE_UNAVAILABLE"),
        ("network", 503, "SERVICE_UNAVAILABLE"),
        ("disk", 507, "INSUFFICIENT_STORAGE"),
    ],
)
async def test_an_outage_has_its_own_status(client, how, status, code):
    answer = await ask(client, f'{{number(value: 1) fails(how: "{how}")}}')
    assert (answer.status_code, "retry-after" in answer.headers) == (status, status == 503)
    assert answer.json()["errors"][0]["extensions"] == {"code": code}
    assert "data" not in answer.json()
    assert not any(secret in answer.text for secret in SECRETS)


async def test_an_outage_while_signing_in_has_its_own_status(client, state):
    state.fault = ConnectionRefusedError(111, "refused")
    answer = await ask(client, "{__typename}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_an_outage_does_not_hide_what_a_mutation_has_changed(client):
    partial = await ask(client, "mutation {change breakOff}")
    assert partial.status_code == 200
    assert partial.json()["data"] == {"change": 1, "breakOff": None}
    assert partial.json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
    assert (await ask(client, "mutation {breakOff}")).status_code == 503


async def test_a_query_that_takes_too_long_is_stopped(state):
    async with client_of(state, Limits(query_seconds=0.05)) as client:
        answer = await ask(client, '{fails(how: "slow")}')
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMED_OUT")
        assert state.contexts[0].closed


async def test_every_response_has_security_headers_and_a_request_id(client):
    for answer in (await ask(client, "{__typename}"), await client.get("/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert len(answer.headers["x-request-id"]) == 24
        assert "strict-transport-security" not in answer.headers


async def test_a_request_id_is_adopted_only_if_it_is_valid(client):
    kept = await ask(client, "{clientIds}", {**SIGNED, "x-request-id": "abc-123.DEF", "idempotency-key": "k1"})
    assert kept.headers["x-request-id"] == "abc-123.DEF"
    assert kept.json()["data"]["clientIds"] == "k1 abc-123.DEF"
    for bad in ("short", "x" * 65, "with space in it", 'quote"quote"', "-leading-dash"):
        answer = await ask(client, "{__typename}", {**SIGNED, "x-request-id": bad})
        assert answer.headers["x-request-id"] != bad


async def test_an_operation_is_logged_without_variables(client, lines):
    await ask(
        client,
        "query Pages($after: String) {learners(first: 3, after: $after) {nodes {id}}}",
        variables={"after": "Ada"},
    )
    (line,) = [line for line in lines() if line["event"] == "operation"]
    assert line.items() >= {
        "operation": "Pages", "kind": "query", "viewer": 7, "role": "ASSESSOR", "cost": 5, "statements": 0,
        "status": 200, "code": None,
    }.items()  # fmt: skip
    assert line["ms"] >= 0
    assert "Ada" not in json.dumps(lines())


async def test_other_requests_are_logged_without_their_path(client, lines):
    await client.get("/downloads/a-link-that-opens-a-file")
    (line,) = lines()
    assert (line["event"], line["status"]) == ("request", 404)
    assert "a-link" not in json.dumps(line)


async def test_metrics_are_labelled_by_saved_names_only(state):
    app, _, metrics = make_app(state)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for _ in range(3):
            await ask(client, "query MadeUp {__typename}")
        await client.post("/graphql", content='{"documentId": "sample_kpis"}', headers=SIGNED)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(metrics.app), base_url="http://test") as inside:
        text = (await inside.get("/metrics")).text
        assert (await inside.get("/other")).status_code == 404
    assert 'waymark_operations_total{code="",kind="query",name="other",transport="http"} 3.0' in text
    assert 'waymark_operations_total{code="",kind="query",name="sample_kpis",transport="http"} 1.0' in text
    assert "MadeUp" not in text
    assert 'waymark_requests_total{method="POST",status="200"} 4.0' in text
    assert "waymark_document_hits 3.0" in text and "waymark_document_misses 1.0" in text
