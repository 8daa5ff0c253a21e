"""OpenTelemetry: a span an operation and one a statement, sent where OTEL_EXPORTER_OTLP_ENDPOINT says.

The packages are an extra (`pip install 'waymark[tracing]'`). No variables, no values of statements, no names of people.
"""

import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import event

from db.database import Database, statement_count
from transport.graphql.operation_runner import OperationLog

log = structlog.get_logger("waymark")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_LONGEST_STATEMENT = 4000

# What a statement was, when it began and ended (seconds of the performance counter), and the class of its error.
_Statement = tuple[str, float, float, str | None]


def open_tracing(environment: Mapping[str, str], database: Database) -> "Tracing | None":
    """Tracing as the usual OTEL_… variables set it; None where no endpoint is set or the packages are not there."""
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
    """Called with each operation's record at its end; `close()` sends what is left."""

    def __init__(self, database: Database) -> None:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._trace = trace
        # A name that OTEL_SERVICE_NAME gives goes before ours.
        self._provider = TracerProvider(resource=Resource.create({"service.name": "waymark"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("waymark")
        # The statements of each running operation, by the identity of the counter that they add to.
        self._running: dict[int, list[_Statement]] = {}
        database.watchers.append(self._note)
        for engine in database.sync_engines:
            event.listen(engine, "before_cursor_execute", self._before)
            event.listen(engine, "after_cursor_execute", self._after)
            event.listen(engine, "handle_error", self._failed)

    def observing(self, done: Callable[[OperationLog], None]) -> Callable[[OperationLog], None]:
        """What is told of each operation, with its spans made besides."""

        def both(record: OperationLog) -> None:
            done(record)
            self._operation(record)

        return both

    def close(self) -> None:
        """Sends what waits; for the end of the process, off the event loop."""
        self._provider.shutdown()

    def _operation(self, record: OperationLog) -> None:
        ended = time.perf_counter()
        # Spans want the wall clock; the performance counter is what cannot jump.
        base = time.time_ns() - int(ended * 1e9)
        name = " ".join(filter(None, (record.kind or "operation", record.saved_name)))
        public_message = {
            "graphql.operation.type": record.kind,
            "graphql.operation.name": record.saved_name or (record.name and record.name[:64]),
            "waymark.request_id": record.request_id,
            "waymark.transport": record.transport,
            "waymark.viewer": record.viewer,
            "waymark.role": record.role,
            "waymark.cost": record.cost,
            "waymark.statements": record.statements[0],
            "waymark.code": record.code,
            "http.response.status_code": record.status or None,
        }
        attributes = {key: value for key, value in public_message.items() if value is not None}
        span = self._tracer.start_span(name, start_time=base + int(record.started * 1e9), attributes=attributes)
        if record.code is not None:
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, record.code))
        inside = self._trace.set_span_in_context(span)
        for statement, began, done, error in self._running.pop(id(record.statements), ()):
            child = self._tracer.start_span(
                statement.split(maxsplit=1)[0].upper(), inside, start_time=base + int(began * 1e9),
                kind=self._trace.SpanKind.CLIENT, attributes={"db.query.text": statement[:_LONGEST_STATEMENT]},
            )  # fmt: skip
            if error:
                child.set_status(self._trace.Status(self._trace.StatusCode.ERROR, error))
            child.end(base + int(done * 1e9))
        span.end(base + int(ended * 1e9))

    def read(self, statement: str, began: float, ended: float, error: str | None) -> None:
        """A read, which does not go by way of the engines: for `Database.watchers`."""
        counter = statement_count.get()
        if counter is not None:
            self._running.setdefault(id(counter), []).append((statement, began, ended, error))

    def _before(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if context is not None:
            context.waymark_began = time.perf_counter()

    def _after(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        self._note(statement, getattr(context, "waymark_began", None), time.perf_counter(), None)

    def _failed(self, failure: Any) -> None:
        began = getattr(failure.execution_context, "waymark_began", None)
        self._note(failure.statement, began, time.perf_counter(), type(failure.original_exception).__name__)

    def _note(self, statement: str | None, began: float | None, ended: float, error: str | None) -> None:
        counter = statement_count.get()
        if counter is not None and began is not None and statement:
            self._running.setdefault(id(counter), []).append((statement, began, ended, error))
