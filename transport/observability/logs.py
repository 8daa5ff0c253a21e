"""Structured logs: one JSON object a line, without variables and personal data."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import orjson
import structlog

# Methods of a logger that are not named like their level.
_LEVELS = {"warn": "warning", "exception": "error"}


def set_up(level: int = logging.INFO, stream: BinaryIO | None = None) -> None:
    """Configures logging: events of `level` and above go to `stream` (standard output) as JSON lines, with UTC times.

    Records of the standard library's `logging` go the same way. uvicorn's access log is off, because RequestLogging
    logs each request, and because paths may contain signed URLs.
    """
    structlog.configure(
        processors=[_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", _LossyStream(stream or sys.stdout.buffer))),
        # Loggers that were made before this call must use the configuration too.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"


def _line(_: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    """The line of an event: what structlog's processors for the level, the time and JSON make, in few calls."""
    event["level"] = _LEVELS.get(method, method)
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return orjson.dumps(event, default=str)


class _LossyStream:
    """A stream whose lines are lost while it cannot be written to: on a full disk requests go on without a log."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, line: bytes) -> None:
        """Writes a line, or part of it, or nothing."""
        with suppress(OSError):
            self._stream.write(line)

    def flush(self) -> None:
        """Writes what is buffered, if that can be done now."""
        with suppress(OSError):
            self._stream.flush()


class _ToStructlog(logging.Handler):
    """Passes records of the standard library to structlog, without exception messages: they may quote a row."""

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[0]:
            event["exception"] = f"{record.exc_info[0].__module__}.{record.exc_info[0].__qualname__}"
        structlog.get_logger().log(record.levelno, record.getMessage().partition("\n")[0], **event)
