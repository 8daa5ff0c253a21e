"""No error message, log line or span repeats a submitted value, wherever in a request it stands."""

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import httpx2
import pytest
import structlog

from tests.support.client import SCHEMA
from tests.support.databases import BACKENDS
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from tests.support.submitted_values import MARK, leaves, submissions
from transport.observability import logs

# A mark that no other request of the file submits.
IN_A_HEADER = f"{MARK}-in-a-header"
HEADERS = (
    {"authorization": f"Bearer {IN_A_HEADER}"}, {"authorization": f"Basic {IN_A_HEADER}"},
    {"authorization": IN_A_HEADER},
    {"idempotency-key": IN_A_HEADER}, {"idempotency-key": IN_A_HEADER * 50}, {"user-agent": IN_A_HEADER},
    {"cookie": f"a={IN_A_HEADER}"}, {"origin": f"https://{IN_A_HEADER}.example"}, {"accept": f"text/{IN_A_HEADER}"},
    {"content-type": f"text/{IN_A_HEADER}"}, {"content-type": f"application/json; charset={IN_A_HEADER}"},
    {"x-request-id": f"{IN_A_HEADER} with spaces"}, {"x-forwarded-for": IN_A_HEADER},
    {"x-forwarded-proto": IN_A_HEADER},
    {"traceparent": f"00-{IN_A_HEADER}"}, {"last-event-id": IN_A_HEADER}, {"content-encoding": IN_A_HEADER},
    {"graphql-preflight": IN_A_HEADER}, {"host": f"{IN_A_HEADER}.example"}, {IN_A_HEADER: "a name"},
)  # fmt: skip
BODIES: tuple[bytes, ...] = (
    MARK.encode(), b'"' + MARK.encode(), b"[" + MARK.encode(), f'{{"query": {MARK}}}'.encode(),
    *(
        json.dumps(body).encode()
        for body in (
            MARK, [MARK], {MARK: MARK}, {"query": [MARK]}, {"query": {"a": MARK}}, {"query": MARK},
            {"query": "{ viewer { role } }", "variables": MARK}, {"query": "{ viewer { role } }", "variables": [MARK]},
            {"query": "{ viewer { role } }", "operationName": [MARK]}, {"documentId": MARK}, {"documentId": [MARK]},
            {"query": "{ viewer { role } }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": MARK}}},
            {"query": "{ viewer { role } }", "extensions": MARK}, {"query": f'{{ node(id: "{MARK}) {{ id }} }}'},
            {"query": f'{{ node(id: """{MARK}""" x) {{ id }} }}'}, {"query": f"{{ viewer {{ role }} }} # {MARK}"},
            {"query": f'{{ viewer {{ role @include(if: "{MARK}") }} }}'},
            {"query": f'query($a: Int = "{MARK}") {{ learners(first: $a) {{ totalCount }} }}'},
            {"query": f'query($a: String = "{MARK}") {{ learners(first: $a) {{ totalCount }} }}'},
            {"query": "query($a: Int!) { learners(first: $a) { totalCount } }", "variables": {"b": MARK}},
        )
    ),
)  # fmt: skip


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A collector of spans, which keeps what it is sent: the address, and the bodies."""
    bodies: list[bytes] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        bodies.append(await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0])))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(collect, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", bodies
    server.close()


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    """Everything that the server logs, of every level."""
    root, stream = logging.getLogger(), io.BytesIO()
    handlers, level = root.handlers[:], root.level
    logs.set_up(logging.DEBUG, stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


class Repeated:
    """Collects the errors that repeat a mark."""

    def __init__(self) -> None:
        self.requests = self.errors = 0
        self.found: list[str] = []

    def check(self, what: str, response: httpx2.Response) -> None:
        """Looks for marks in the errors of a response, and in its headers."""
        self.requests += 1
        assert response.status_code < 500, (what, response.text)
        try:
            errors = list(_errors_in(response.json()))
        except ValueError:
            errors = [response.text]
        self.errors += bool(errors)
        text = json.dumps(errors) + json.dumps(dict(response.headers))
        if MARK.lower() in text.lower():
            self.found.append(f"{what}: {text[:300]}")


def _errors_in(answer: Any) -> Iterator[Any]:
    """The errors of a response, and those in the payloads of mutations."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name in ("errors", "error"):
                yield value
            else:
                yield from _errors_in(value)


# The messages are the same on both databases; on PostgreSQL a part shows that its own errors are masked. Prime numbers,
# so that each way to submit a value has its turn.
@pytest.mark.parametrize(
    ("backend", "every"),
    [("sqlite", 29), ("postgresql", 83), *(pytest.param(backend, 1, marks=pytest.mark.long) for backend in BACKENDS)],
    indirect=["backend"],
)
async def test_no_submitted_value_is_repeated(
    demo: Demo, backend: str, every: int, log: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeated = Repeated()
    async with collector() as (address, spans):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        async with demo.serving(backend) as running, running.signed_in("master.admin") as master:
            json_ = {"content-type": "application/json"}
            for each in islice(submissions(), 0, None, every):
                response = await master.http.post("/graphql", content=each.body, headers=json_)
                if response.status_code == 401:
                    # Some mutations end the session: a wrong password and a logout among them.
                    await master.sign_in("master.admin")
                    response = await master.http.post("/graphql", content=each.body, headers=json_)
                repeated.check(each.what, response)
            await _other_places(running, master.http, repeated)
    expected = 900 / every + 100
    assert repeated.requests > expected and repeated.errors > 0.8 * expected
    assert repeated.found == [], "\n".join(repeated.found[:20])
    lines = log.getvalue().decode().splitlines()
    assert len(lines) > expected
    assert [line for line in lines if MARK.lower() in line.lower()] == []
    sent = b"".join(spans)
    assert b"graphql.operation.type" in sent and b"db.query.text" in sent
    at = sent.lower().find(MARK.lower().encode())
    assert at == -1, repr(sent[max(0, at - 60) : at + 60])


async def _other_places(running: RunningServer, http: httpx2.AsyncClient, repeated: Repeated) -> None:
    """Headers, bodies, paths and query strings, signed in and not."""
    good = json.dumps({"query": "{ viewer { role } }"}).encode()
    async with running.anonymous() as stranger:
        for client in (http, stranger.http):
            for header in HEADERS:
                headers = {"content-type": "application/json", **header}
                repeated.check(str(header), await client.post("/graphql", content=good, headers=headers))
            for body in BODIES:
                headers = {"content-type": "application/json"}
                repeated.check(body.decode(), await client.post("/graphql", content=body, headers=headers))
            for path in (
                f"/{MARK}", f"/graphql?query={MARK}", f"/graphql?query={{a}}&variables={MARK}", f"/downloads/{MARK}",
                f"/exports/{MARK}", f"/kpi/{MARK}", f"/password?token={MARK}", f"/sign?token={MARK}",
                f"/health?{MARK}={MARK}",
            ):  # fmt: skip
                response = await client.get(path, headers={"graphql-preflight": "1", "accept": "application/json"})
                # The page for a new password has the token in its form, for the person who opened the link.
                if not path.startswith("/password"):
                    repeated.check(path, response)
            repeated.check("upload", await client.put(f"/uploads/{MARK}", content=MARK.encode()))


def test_each_argument_and_input_field_is_marked() -> None:
    """Also those of an operation that is added: the requests follow the schema."""
    said = "\n".join(each.what for each in submissions())
    for root in (SCHEMA.query_type, SCHEMA.mutation_type):
        assert root is not None
        for name, one in root.fields.items():
            for path, _ in leaves(one):
                assert re.search(rf"^{name} {MARK}\d+ at {re.escape('.'.join(path))} ", said, re.MULTILINE), (
                    name,
                    path,
                )
