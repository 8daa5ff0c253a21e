"""Prometheus metrics of requests, operations, sockets and kept documents, in a registry of their own."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import Receive, Scope, Send

from schema.http.operations import Record

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_STATEMENTS = (0, 1, 2, 3, 5, 8, 13, 21, 50)


class Metrics:
    """The counters of one process. `operation` is given to make_view as `done`; `app` answers GET /metrics.

    Operations are told apart by the name they are saved under; what clients make up counts as "other", so that nobody
    can fill the memory with names.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "waymark_requests", "HTTP requests by method and status.", ("method", "status"), registry=self.registry
        )
        self._operations = Counter(
            "waymark_operations",
            "Operations by transport, kind, saved name and the code of their first error.",
            ("transport", "kind", "name", "code"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "waymark_operation_seconds", "Time of an operation.", ("kind", "name"), buckets=_SECONDS, registry=self.registry
        )
        self._statements = Histogram(
            "waymark_operation_statements", "SQL statements of an operation.", ("kind", "name"), buckets=_STATEMENTS,
            registry=self.registry,
        )  # fmt: skip
        self._cost = Counter("waymark_operation_cost", "Points spent by operations.", ("kind",), registry=self.registry)

    def watch(self, view: "object") -> None:
        """Shows the open sockets and streams of a view, and how often it knew a document."""
        for name, what, read in (
            ("waymark_open_sockets", "Open sockets.", lambda: view.open_sockets),
            ("waymark_open_streams", "Open event streams.", lambda: view.open_streams),
            ("waymark_document_hits", "Documents that were kept, since the start.", lambda: view.counts.hits),
            ("waymark_document_misses", "Documents that were new, since the start.", lambda: view.counts.misses),
        ):
            Gauge(name, what, registry=self.registry).set_function(read)

    def request(self, method: str, status: int) -> None:
        """Counts one HTTP request."""
        known = method if method in ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH") else "other"
        self._requests.labels(known, status).inc()

    def operation(self, record: Record) -> None:
        """Counts one operation at its end."""
        kind, name = record.kind or "none", record.saved_name or "other"
        self._operations.labels(record.transport, kind, name, record.code or "").inc()
        if record.kind is None or record.transport != "http" and record.kind == "subscription":
            return
        self._seconds.labels(kind, name).observe(time.perf_counter() - record.started)
        self._statements.labels(kind, name).observe(record.statements[0])
        self._cost.labels(kind).inc(record.cost)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: the metrics as text, for an address that only the operators reach."""
        if scope["type"] != "http":
            return
        found = scope["method"] == "GET" and scope["path"] == "/metrics"
        body = generate_latest(self.registry) if found else b"Not found.\n"
        kind = CONTENT_TYPE_LATEST if found else "text/plain; charset=utf-8"
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})
