"""Prometheus metrics of requests, operations, sockets and kept documents, in a registry of their own."""

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import Receive, Scope, Send

from transport.graphql.operation_runner import OperationLog

if TYPE_CHECKING:
    from transport.graphql.endpoint import GraphQLEndpoint

_METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH")
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
            "waymark_operation_seconds",
            "Time of an operation.",
            ("kind", "name"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._statements = Histogram(
            "waymark_operation_statements", "SQL statements of an operation.", ("kind", "name"), buckets=_STATEMENTS,
            registry=self.registry,
        )  # fmt: skip
        self._cost = Counter("waymark_operation_cost", "Points spent by operations.", ("kind",), registry=self.registry)
        self._deprecated = Counter(
            "waymark_deprecated_uses",
            "Operations that name a deprecated field, argument, input field or enum value, by its coordinate.",
            ("coordinate",),
            registry=self.registry,
        )
        # Looking a child up by its labels takes a lock and a check of each: kept, it is one look into a dictionary.
        self._request_children: dict[tuple[str, int], Counter] = {}
        self._operation_children: dict[tuple[str, ...], tuple[Any, ...]] = {}

    def watch(self, view: "GraphQLEndpoint") -> None:
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
        child = self._request_children.get((method, status))
        if child is None:
            known = method if method in _METHODS else "other"
            child = self._requests.labels(known, status)
            if known == method:
                self._request_children[method, status] = child
        child.inc()

    def operation(self, record: OperationLog) -> None:
        """Counts one operation at its end; how long a subscription was open is no time of an operation."""
        labels = (record.transport, record.kind or "none", record.saved_name or "other", record.code or "")
        children = self._operation_children.get(labels)
        if children is None:
            kind_and_name = labels[1:3]
            children = self._operation_children[labels] = (
                self._operations.labels(*labels),
                self._seconds.labels(*kind_and_name),
                self._statements.labels(*kind_and_name),
                self._cost.labels(labels[1]),
            )
        count, seconds, statements, cost = children
        count.inc()
        for coordinate in record.deprecated:
            self._deprecated.labels(coordinate).inc()
        if record.kind is None or record.kind == "subscription":
            return
        seconds.observe(time.perf_counter() - record.started)
        statements.observe(record.statements[0])
        cost.inc(record.cost)

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
