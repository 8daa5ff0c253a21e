"""What logs and metrics record of an operation."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from db.database import statement_count

_TRACE_CONTEXT = ("traceparent", "tracestate")
_TRACE_HEADERS = frozenset(name.encode() for name in _TRACE_CONTEXT)
# What W3C Trace Context requires a server to pass on; more is ignored.
_MAX_TRACE_CHARACTERS = 512


@dataclass(slots=True)
class OperationLog:
    """The record of one operation. It has no variables and no personal data."""

    request_id: str = ""
    transport: str = "http"
    kind: str | None = None
    name: str | None = None
    saved_name: str | None = None
    viewer: int | None = None
    role: str | None = None
    access_key: int | None = None
    cost: int = 0
    charged: int | None = None  # of a large query: what it gave, where the cost was estimated
    cost_left: int | None = None  # of the rate limit; None without one
    deprecated: tuple[str, ...] = ()
    code: str | None = None  # of the first error
    status: int = 0
    trace: Mapping[str, str] = field(default_factory=dict)  # the caller's: the names of W3C Trace Context
    statements: list[int] = field(default_factory=lambda: [0])  # one number, which the operation's tasks share
    started: float = field(default_factory=time.perf_counter)  # seconds of the performance counter

    def count_statements(self) -> None:
        """Counts the SQL statements of the current task, from now on."""
        statement_count.set(self.statements)


def trace_of(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Returns the headers of W3C Trace Context, with which the server's spans join the trace of the caller."""
    return {name.decode(): value.decode("latin-1") for name, value in headers if name in _TRACE_HEADERS}


def trace_in(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Returns the same of JSON: the extensions of a request, or the payload of connection_init.

    A client sends them there if it cannot set headers, as for a browser's WebSocket or EventSource.
    """
    found = {name: value for name in _TRACE_CONTEXT if _is_trace_value(value := (values or {}).get(name))}
    return found if "traceparent" in found else {}


def _is_trace_value(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value.isascii() and len(value) <= _MAX_TRACE_CHARACTERS
