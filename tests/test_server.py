"""The composed server: health, metrics, cross-origin requests, settings and tracing."""

import asyncio
import datetime as dt
import gc
import socket
import sys
from pathlib import Path

import httpx2
import pytest

from db.database import Database
from db.models.auth_session import LoginAttempt
from domain import clock
from server import build_server
from services.pauses import COLLECTED, SWITCH_SECONDS
from services.settings import Settings, SettingsError, read_settings
from tests.support.databases import Databases
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.support.server_process import free_port
from tests.support.socket_client import connected, subscribe
from transport.observability.metrics import Metrics
from transport.observability.metrics_server import serving_metrics

APP = "https://app.example"
ASK = {"query": "{ __typename }"}


# ---------------------------------------------------------------- health and readiness


async def test_ready_requires_migrated_tables(databases: Databases, tmp_path: Path) -> None:
    async with serving(f"sqlite:///{tmp_path}/empty.db", tmp_path) as running, running.anonymous() as stranger:
        assert (await stranger.http.get("/health")).json() == {"status": "ok"}
        ready = await stranger.http.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (
            503,
            "The database has no tables: run `server.py migrate` first.",
        )
    async with serving(await databases.fresh("sqlite"), tmp_path) as running, running.anonymous() as stranger:
        assert (await stranger.http.get("/ready")).json() == {"status": "ok", "uploads": "ok"}
        running.server.drain()
        assert (await stranger.http.get("/ready")).status_code == 503
        # A process that stops is still healthy: a supervisor must not kill it.
        assert (await stranger.http.get("/health")).status_code == 200


# ---------------------------------------------------------------- metrics


async def test_metrics_have_an_address_of_their_own(demo: Demo, tmp_path: Path) -> None:
    port = free_port()
    async with serving(await demo.database_url("sqlite"), tmp_path, WAYMARK_METRICS=f"127.0.0.1:{port}") as running:
        async with running.anonymous() as stranger, httpx2.AsyncClient() as operator:
            await stranger.post(ASK["query"])
            text = (await operator.get(f"http://127.0.0.1:{port}/metrics")).text
            assert "waymark_operations_total{" in text and 'waymark_requests_total{method="POST",status="200"}' in text
            assert 'waymark_sweep_rows{table="file"}' in text and "waymark_exports_open 0.0" in text
            assert (await operator.get(f"http://127.0.0.1:{port}/graphql")).status_code == 404
            # Not on the public address.
            assert (await stranger.http.get("/metrics")).status_code == 404
    with pytest.raises(httpx2.ConnectError):
        async with httpx2.AsyncClient() as operator:
            await operator.get(f"http://127.0.0.1:{port}/metrics")


async def test_a_metrics_address_in_use_does_not_stop_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with serving_metrics(Metrics(), ("127.0.0.1", taken.getsockname()[1])) as where:
            assert where is None
    assert "metrics_not_served" in capsys.readouterr().out
    async with serving_metrics(Metrics(), None) as where:
        assert where is None


async def test_a_server_sweeps_and_says_so(demo: Demo, backend: str, tmp_path: Path) -> None:
    url, port = await demo.database_url(backend), free_port()
    database = Database(url)
    async with database.writing() as session:
        session.add(LoginAttempt(subject="long ago", at=clock.now() - dt.timedelta(days=1)))
    async with serving(url, tmp_path, WAYMARK_METRICS=f"127.0.0.1:{port}"), httpx2.AsyncClient() as operator:
        async with asyncio.timeout(20):
            while 'waymark_sweep_deleted_total{table="wrong_guess"} 1.0' not in (
                text := (await operator.get(f"http://127.0.0.1:{port}/metrics")).text
            ):
                await asyncio.sleep(0.05)
        assert 'waymark_sweep_last_run_timestamp_seconds{table="wrong_guess"} 0.0' not in text
    await database.close()


async def test_a_server_keeps_pauses_short(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[float] = []
    monkeypatch.setattr(sys, "setswitchinterval", chosen.append)
    async with demo.serving("sqlite"):
        assert chosen == [SWITCH_SECONDS]
        assert gc.get_threshold() == COLLECTED


def test_a_quota_that_cannot_be_used_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings({"WAYMARK_DATA": str(tmp_path)})
    monkeypatch.setenv("WAYMARK_QUOTA_EXPORTS", "none")
    with pytest.raises(SettingsError, match="WAYMARK_QUOTA_EXPORTS must be a whole number"):
        build_server(settings)


# ---------------------------------------------------------------- other origins


async def preflight(
    client: httpx2.AsyncClient, origin: str, path: str = "/graphql", method: str = "POST",
    sent: str = "authorization, content-type, idempotency-key",
) -> httpx2.Response:  # fmt: skip
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": sent}
    return await client.request("OPTIONS", path, headers=headers)


async def test_allowed_origins_may_send_requests_and_others_may_not(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("sqlite", tmp_path)
    async with serving(url, tmp_path, WAYMARK_ALLOWED_ORIGINS=APP) as running, running.signed_in("learner") as ada:
        for path, method in (("/graphql", "POST"), ("/graphql", "GET"), ("/uploads/x", "PUT")):
            allowed = await preflight(ada.http, APP, path, method)
            assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == APP
            assert "access-control-allow-credentials" not in allowed.headers
            for origin in ("https://evil.example", "https://app.example.evil.example", "http://app.example", "null"):
                other = await preflight(ada.http, origin, path, method)
                assert other.status_code == 400 and "access-control-allow-origin" not in other.headers, origin
        answer = await ada.http.post("/graphql", json=ASK, headers={"origin": APP})
        assert answer.json() == {"data": {"__typename": "Query"}, **_extensions(answer)}
        assert answer.headers["access-control-allow-origin"] == APP and "Origin" in answer.headers["vary"]
        evil = await ada.http.post("/graphql", json=ASK, headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in evil.headers
        # Requests that need no preflight are refused from every origin.
        simple = await ada.http.post("/graphql", content='{"query":"{__typename}"}', headers={
            "origin": APP, "content-type": "text/plain"})  # fmt: skip
        assert simple.status_code == 415
        # The page can read an error, too.
        wrong = await ada.http.post("/graphql", json={"query": "{"}, headers={"origin": APP})
        assert wrong.headers["access-control-allow-origin"] == APP


# What Apollo Client and its tools, urql, Hive, OpenTelemetry and Sentry add to a request.
ADDED_BY_CLIENTS = (
    "traceparent", "tracestate", "baggage", "sentry-trace", "apollographql-client-name", "apollographql-client-version",
    "x-apollo-operation-name", "x-apollo-operation-id", "x-apollo-operation-type", "graphql-client-name",
    "graphql-client-version", "graphql-require-preflight", "apollo-require-preflight", "graphql-preflight",
    "x-requested-with",
)  # fmt: skip


async def test_what_clients_add_to_a_request_passes_and_more_by_a_setting(demo: Demo, tmp_path: Path) -> None:
    allowed = {"WAYMARK_ALLOWED_ORIGINS": APP, "WAYMARK_ALLOWED_HEADERS": "X-Datadog-Trace-Id, b3"}
    url = await demo.database_url("sqlite")
    async with serving(url, tmp_path, **allowed) as running, running.anonymous() as page:
        for sent in (*ADDED_BY_CLIENTS, "x-datadog-trace-id", "b3", ", ".join(ADDED_BY_CLIENTS)):
            assert (await preflight(page.http, APP, sent=sent)).status_code == 200, sent
        for sent in ("x-other", "cookie", "authorization, x-other"):
            assert (await preflight(page.http, APP, sent=sent)).status_code == 400, sent


def _extensions(answer: httpx2.Response) -> dict[str, object]:
    return {"extensions": answer.json()["extensions"]} if "extensions" in answer.json() else {}


async def test_without_the_setting_other_origins_may_not_send_requests(demo: Demo, tmp_path: Path) -> None:
    async with serving(await demo.database_url("sqlite"), tmp_path) as running, running.anonymous() as stranger:
        assert (await preflight(stranger.http, APP)).status_code == 405
        answer = await stranger.http.post("/graphql", json=ASK, headers={"origin": APP})
        assert "access-control-allow-origin" not in answer.headers


# ---------------------------------------------------------------- settings


def _settings(**environment: str) -> Settings:
    return read_settings(
        {
            "WAYMARK_DATABASE_URL": "sqlite:///x.db", "WAYMARK_BASE_URL": "https://x.example",
            "WAYMARK_SECRET_KEYS": "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", **environment,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAYMARK_METRICS", "9464"), ("WAYMARK_METRICS", "host:port"), ("WAYMARK_METRICS", "127.0.0.1:99999"),
        ("WAYMARK_ALLOWED_ORIGINS", "*"), ("WAYMARK_ALLOWED_ORIGINS", "https://app.example/"),
        ("WAYMARK_ALLOWED_HEADERS", "*"), ("WAYMARK_ALLOWED_HEADERS", "x-good x:bad"),
        ("WAYMARK_ALLOWED_ORIGINS", "app.example"), ("WAYMARK_ALLOWED_ORIGINS", "https://ok.example null"),
        ("WAYMARK_POOL_SIZE", "0"), ("WAYMARK_DRAIN_SECONDS", "-1"), ("WAYMARK_DRAIN_SECONDS", "soon"),
    ],
)  # fmt: skip
def test_invalid_settings_are_reported_at_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _settings(**{name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name}: set ")


def test_valid_settings() -> None:
    settings = _settings(
        WAYMARK_METRICS="[::1]:9000", WAYMARK_ALLOWED_ORIGINS="https://a.example, http://localhost:5173"
    )
    assert (settings.metrics_address, settings.allowed_origins) == (
        ("::1", 9000), ("https://a.example", "http://localhost:5173")
    )  # fmt: skip
    assert _settings().metrics_address == ("127.0.0.1", 9464)
    assert _settings(WAYMARK_METRICS="off").metrics_address is None


# ---------------------------------------------------------------- tracing


async def test_each_operation_and_each_statement_has_a_span(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spans are sent as OTLP to a collector."""
    protocol = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    spans: list[object] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        request = protocol.ExportTraceServiceRequest.FromString(await reader.readexactly(length))
        spans.extend(span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    collector = await asyncio.start_server(collect, "127.0.0.1", 0)
    port = collector.sockets[0].getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    async with serving(await demo.database_url("sqlite"), tmp_path) as running, running.signed_in("learner") as ada:
        query = 'query Mine { learners(first: 1, filter: { search: "secret words" }) { nodes { name } } }'
        answer = await ada.post(query)
        request_id = answer.headers["x-request-id"]
        # As a browser with OpenTelemetry sends it, and one that is not valid.
        for caller in (f"00-{'ab' * 16}-{'cd' * 8}-01", f"00-{'0' * 32}-{'cd' * 8}-01"):
            headers = {
                **ada.http.headers,
                "traceparent": caller,
                "authorization": f"Bearer {ada.tokens['accessToken']}",
            }
            await ada.http.post("/graphql", json={"query": "query Traced { viewer { role } }"}, headers=headers)
        # A page cannot set the headers of a WebSocket.
        page = {"authorization": headers["authorization"], "traceparent": f"00-{'ef' * 16}-{'cd' * 8}-01"}
        init = {"type": "connection_init", "payload": page}
        async with connected(running.address.rpartition(":")[2], init) as socket:
            await socket.send(subscribe("1", "query Live { viewer { role } }"))
            assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
    collector.close()
    attributes = {
        span.span_id: {a.key: a.value.string_value or a.value.int_value for a in span.attributes} for span in spans
    }
    (mine,) = [span for span in spans if attributes[span.span_id].get("waymark.request_id") == request_id]
    mine_has = attributes[mine.span_id]
    assert (mine.name, mine_has["graphql.operation.name"], mine_has["waymark.role"]) == ("query", "Mine", "LEARNER")
    children = [span for span in spans if span.parent_span_id == mine.span_id]
    assert len(children) == mine_has["waymark.statements"] > 0
    for child in children:
        assert child.name == "SELECT"
        assert (
            mine.start_time_unix_nano
            <= child.start_time_unix_nano
            <= child.end_time_unix_nano
            <= mine.end_time_unix_nano
        )
    traced = [span for span in spans if attributes[span.span_id].get("graphql.operation.name") == "Traced"]
    joined, own = sorted(traced, key=lambda span: not span.parent_span_id)
    assert (joined.trace_id.hex(), joined.parent_span_id.hex()) == ("ab" * 16, "cd" * 8)
    assert own.parent_span_id == b"" and own.trace_id not in (joined.trace_id, bytes(16))
    (live,) = [span for span in spans if attributes[span.span_id].get("graphql.operation.name") == "Live"]
    assert (live.trace_id.hex(), live.parent_span_id.hex()) == ("ef" * 16, "cd" * 8)
    # Statements have no values, so spans hold no personal data.
    assert "secret words" not in str(spans) and "waymark-demo" not in str(spans)
