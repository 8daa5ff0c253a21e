"""Prometheus metrics of requests, operations, connections and the document cache."""

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import Receive, Scope, Send

from transport.graphql.operation_log import OperationLog
from transport.observability.loop_monitor import LOGGED_SECONDS, LoopMonitor

if TYPE_CHECKING:
    from transport.graphql.endpoint import GraphQLEndpoint

_METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH")
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_STATEMENTS = (0, 1, 2, 3, 5, 8, 13, 21, 50)


class Metrics:
    """The metrics of one process, in a registry of their own. `app` serves them at GET /metrics.

    Operations are labelled by the name that they are saved under. All others are labelled "other", so that clients
    cannot fill the memory with names. `loop_seconds`: from which delay of the event loop it is logged.
    """

    def __init__(self, loop_seconds: float = LOGGED_SECONDS) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.loop_monitor = LoopMonitor(self.registry, loop_seconds)
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
            "Duration of an operation.",
            ("kind", "name"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._statements = Histogram(
            "waymark_operation_statements", "SQL statements of an operation.", ("kind", "name"), buckets=_STATEMENTS,
            registry=self.registry,
        )  # fmt: skip
        self._cost = Counter(
            "waymark_operation_cost", "Cost of operations in points.", ("kind",), registry=self.registry
        )
        self._deprecated = Counter(
            "waymark_deprecated_uses",
            "Operations that use a deprecated field, argument, input field or enum value, by its coordinate.",
            ("coordinate",),
            registry=self.registry,
        )
        self._untrusted = Counter(
            "waymark_untrusted_forwarded_requests",
            "Requests with X-Forwarded-For from an address that is not a trusted proxy.",
            registry=self.registry,
        )
        # The metrics by labels: prometheus_client takes a lock and checks each label to look one up.
        self._request_children: dict[tuple[str, int], Counter] = {}
        self._operation_children: dict[tuple[str, ...], tuple[Any, ...]] = {}

    def watch(self, endpoint: "GraphQLEndpoint") -> None:
        """Adds the metrics of an endpoint: its open connections, and hits and misses of its document cache."""
        for name, description, read in (
            ("waymark_open_sockets", "Open WebSockets.", lambda: endpoint.open_sockets),
            ("waymark_open_streams", "Open event streams.", lambda: endpoint.open_streams),
            ("waymark_anonymous_sockets", "Open WebSockets without a token.", lambda: endpoint.connections.anonymous),
            ("waymark_document_hits", "Documents found in the cache.", lambda: endpoint.cache_stats.hits),
            ("waymark_document_misses", "Documents not found in the cache.", lambda: endpoint.cache_stats.misses),
        ):
            Gauge(name, description, registry=self.registry).set_function(read)

    def untrusted_proxy(self) -> None:
        """Counts a request with X-Forwarded-For from an address that is not a trusted proxy."""
        self._untrusted.inc()

    def request(self, method: str, status: int) -> None:
        """Counts one HTTP request."""
        child = self._request_children.get((method, status))
        if child is None:
            known = method if method in _METHODS else "other"
            child = self._requests.labels(known, status)
            if known == method:
                self._request_children[method, status] = child
        child.inc()

    def operation(self, log: OperationLog) -> None:
        """Counts one operation at its end. The duration of a subscription is not observed."""
        labels = (log.transport, log.kind or "none", log.saved_name or "other", log.code or "")
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
        for coordinate in log.deprecated:
            self._deprecated.labels(coordinate).inc()
        if log.kind is None or log.kind == "subscription":
            return
        seconds.observe(time.perf_counter() - log.started)
        statements.observe(log.statements[0])
        cost.inc(log.cost)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI app: the metrics as text, for an address that only operators can reach."""
        if scope["type"] != "http":
            return
        found = scope["method"] == "GET" and scope["path"] == "/metrics"
        body = generate_latest(self.registry) if found else b"Not found.\n"
        content_type = CONTENT_TYPE_LATEST if found else "text/plain; charset=utf-8"
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})
