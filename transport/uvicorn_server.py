"""Runs the app with uvicorn; after SIGTERM, serves a while longer so that a proxy can move its traffic away."""

import asyncio
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from transport.descriptor_watch import DescriptorWatch
from transport.socket_activation import inherited_sockets
from transport.timeout_protocol import TimeoutProtocol

# How long the open connections are read once no more are accepted, for the requests that are on their way on them:
# half a second, in ticks of 20 ms.
_LAST_REQUESTS_TICKS = 25


class DrainingServer(uvicorn.Server):
    """Serves for `drain_seconds` after the first signal, then stops; a second signal stops it at once.

    `on_drain` is called at the first signal.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: int, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._on_drain = on_drain
        self._signal: int | None = None
        self._stop_at = 0.0
        self._descriptors = DescriptorWatch()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_drain()
        # Read by TimeoutProtocol, which then closes each connection after its response.
        self.server_state.draining = True  # type: ignore[attr-defined]  # uvicorn's ServerState declares no such field
        if self._drain_seconds and self._signal is None:
            self._signal, self._stop_at = sig, time.monotonic() + self._drain_seconds
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        self._descriptors.look()
        if self._signal is not None and not self.should_exit and time.monotonic() >= self._stop_at:
            super().handle_exit(self._signal, None)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # uvicorn closes at once what has no request, also a connection of which nothing was read yet: its request would
        # be lost. Each of these is answered, and its connection closed after it.
        for _ in range(_LAST_REQUESTS_TICKS):
            if self.force_exit or not self.server_state.connections:
                break
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def run(app: ASGIApp, *, host: str, port: int, drain_seconds: int, on_drain: Callable[[], None]) -> None:
    """Serves until a signal stops it; running requests get 25 s to finish.

    Listens on the sockets of the service manager, if it passes any, and else on `host` and `port`.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=TimeoutProtocol,
        access_log=False,
        log_config=None,
        # Longer than proxies keep an idle connection, so that a proxy never sends on one that was just closed.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=25,
        # ForwardedAddress does it, and warns.
        proxy_headers=False,
        server_header=False,
        ws_max_size=1_000_000,
    )
    DrainingServer(config, drain_seconds, on_drain).run(inherited_sockets() or None)
