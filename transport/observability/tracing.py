"""OpenTelemetry traces: a span for each operation and each SQL statement, sent to OTEL_EXPORTER_OTLP_ENDPOINT.

The packages are an extra (`pip install 'waymark[tracing]'`). Spans have no variables, no values of statements and no
personal data.
"""

import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import event

from db.database import Database, statement_count
from transport.graphql.operation_log import OperationLog

log = structlog.get_logger("waymark")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_MAX_STATEMENT_CHARACTERS = 4000

# The SQL, start and end (seconds of the performance counter), and the class of the error.
_Statement = tuple[str, float, float, str | None]


def open_tracing(environment: Mapping[str, str], database: Database) -> "Tracing | None":
    """Returns tracing by the standard OTEL_… variables; None without an endpoint or without the packages."""
    if not any(environment.get(name) for name in _ENDPOINTS):
        return None
    if not all(_is_installed(package) for package in _PACKAGES):
        log.warning("tracing_not_installed", hint="pip install 'waymark[tracing]'")
        return None
    return Tracing(database)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


class Tracing:
    """Makes and exports the spans; `close` sends the last ones."""

    def __init__(self, database: Database) -> None:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        # OTEL_SERVICE_NAME overrides this name.
        self._provider = TracerProvider(resource=Resource.create({"service.name": "waymark"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("waymark")
        # The statements of each running operation, by the id of its statement counter.
        self._running: dict[int, list[_Statement]] = {}
        database.read_listeners.append(self._record)
        for engine in database.sync_engines:
            event.listen(engine, "before_cursor_execute", self._before)
            event.listen(engine, "after_cursor_execute", self._after)
            event.listen(engine, "handle_error", self._failed)

    def observing(self, on_complete: Callable[[OperationLog], None]) -> Callable[[OperationLog], None]:
        """Returns a function for the end of an operation that calls `on_complete` and makes the spans."""

        def observe(operation: OperationLog) -> None:
            on_complete(operation)
            self._export(operation)

        return observe

    def close(self) -> None:
        """Sends the remaining spans. Blocks: call it in a thread."""
        self._provider.shutdown()

    def _export(self, operation: OperationLog) -> None:
        ended = time.perf_counter()
        # Spans need wall-clock times; durations come from the performance counter, which does not jump.
        base = time.time_ns() - int(ended * 1e9)
        name = " ".join(filter(None, (operation.kind or "operation", operation.saved_name)))
        fields = {
            "graphql.operation.type": operation.kind,
            "graphql.operation.name": operation.saved_name or (operation.name and operation.name[:64]),
            "waymark.request_id": operation.request_id,
            "waymark.transport": operation.transport,
            "waymark.viewer": operation.viewer,
            "waymark.role": operation.role,
            "waymark.cost": operation.cost,
            "waymark.statements": operation.statements[0],
            "waymark.code": operation.code,
            "http.response.status_code": operation.status or None,
        }
        attributes = {key: value for key, value in fields.items() if value is not None}
        # A header that is not valid is as none: the span then begins a trace.
        caller = self._propagator.extract(operation.trace)
        span = self._tracer.start_span(
            name, caller, start_time=base + int(operation.started * 1e9), kind=self._trace.SpanKind.SERVER,
            attributes=attributes,
        )  # fmt: skip
        if operation.code is not None:
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, operation.code))
        context = self._trace.set_span_in_context(span)
        for statement, started, done, error in self._running.pop(id(operation.statements), ()):
            child = self._tracer.start_span(
                statement.split(maxsplit=1)[0].upper(), context, start_time=base + int(started * 1e9),
                kind=self._trace.SpanKind.CLIENT, attributes={"db.query.text": statement[:_MAX_STATEMENT_CHARACTERS]},
            )  # fmt: skip
            if error:
                child.set_status(self._trace.Status(self._trace.StatusCode.ERROR, error))
            child.end(base + int(done * 1e9))
        span.end(base + int(ended * 1e9))

    def _before(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if context is not None:
            context.waymark_started = time.perf_counter()

    def _after(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        self._record(statement, getattr(context, "waymark_started", None), time.perf_counter(), None)

    def _failed(self, failure: Any) -> None:
        started = getattr(failure.execution_context, "waymark_started", None)
        self._record(failure.statement, started, time.perf_counter(), type(failure.original_exception).__name__)

    def _record(self, statement: str | None, started: float | None, ended: float, error: str | None) -> None:
        counter = statement_count.get()
        if counter is not None and started is not None and statement:
            self._running.setdefault(id(counter), []).append((statement, started, ended, error))
