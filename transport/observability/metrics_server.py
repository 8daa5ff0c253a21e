"""Serves /metrics on an address of its own, which only operators can reach."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import structlog
import uvicorn

from transport.observability.metrics import Metrics

log = structlog.get_logger("waymark")


class _MetricsServer(uvicorn.Server):
    """A second server in the process; only the first handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving_metrics(metrics: Metrics, address: tuple[str, int] | None) -> AsyncIterator[str | None]:
    """Serves the metrics during the block. Gives the URL, or None without an address.

    If the address is in use, for example by a second process, it logs a warning and gives None.
    """
    listener = _listen(address) if address is not None else None
    if listener is None:
        yield None
        return
    config = uvicorn.Config(
        metrics.app, interface="asgi3", lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=1
    )
    server = _MetricsServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="metrics")
    host, port = listener.getsockname()[:2]
    try:
        yield f"http://{host}:{port}/metrics"
    finally:
        server.should_exit = True
        await task


def _listen(address: tuple[str, int]) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except OSError as error:
        log.warning(
            "metrics_not_served", address=f"{address[0]}:{address[1]}", cause=error.strerror or type(error).__name__,
            hint="set WAYMARK_METRICS to another address, or to off",
        )  # fmt: skip
        return None
