"""Structured logs: one JSON object a line, no variables, no personal data."""

import logging
import sys
from typing import Any, BinaryIO

import orjson
import structlog


def set_up(level: int = logging.INFO, stream: BinaryIO | None = None) -> None:
    """Logs of `level` and above as JSON lines to `stream` (standard output), with the time in UTC.

    What libraries log through `logging` comes out the same way; uvicorn's access log is switched off, because a line of
    ours stands for each request and its addresses may hold links.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        # Not kept: a logger made before this is called must follow it too.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"


def _encode(event: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


class _ToStructlog(logging.Handler):
    """Hands records of the standard library on. An exception's message is left out: it may quote a row."""

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[0]:
            event["exception"] = f"{record.exc_info[0].__module__}.{record.exc_info[0].__qualname__}"
        structlog.get_logger().log(record.levelno, record.getMessage().partition("\n")[0], **event)
