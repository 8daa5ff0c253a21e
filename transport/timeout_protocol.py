"""The HTTP protocol that the server listens with: uvicorn's, which cuts no request that stays half-sent, and timers.

What happens to a body that stands still is decided where it is read (`asked.py`, `transfers.py`); here are the request
line and the headers, and answers that nobody takes.
"""

from asyncio import BaseTransport, TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# From the first byte, or from connecting, to the end of the headers.
HEADER_SECONDS = 8.0
# How long an answer may wait for somebody who does not take it.
STALLED_SECONDS = 60.0

_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 36\r\n"
    b"connection: close\r\n\r\nThe request did not arrive in time.\n"
)


class TimeoutProtocol(HttpToolsProtocol):
    """Closes a connection on which a request's headers do not arrive, or an answer is not taken, in time."""

    header_seconds = HEADER_SECONDS
    stalled_seconds = STALLED_SECONDS
    _header_timer: TimerHandle | None = None
    _stalled_timer: TimerHandle | None = None
    _begun = False

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # The next request on a kept connection: even a single line end has taken uvicorn's own timer away.
        if self.parser is not None and self.transport.get_protocol() is self and self._is_between_requests():
            self._await_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        self._await_headers()

    def on_headers_complete(self) -> None:
        self._begun = False
        self._stop_header_timer()
        super().on_headers_complete()
        # Who speaks to a process that is about to stop is sent to another one for the next request.
        if getattr(self.server_state, "leaving", False) and self.cycle is not None:
            self.cycle.keep_alive = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_header_timer()
        self._stop_stalled_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_stalled_timer()
        self._stalled_timer = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_stalled_timer()
        super().resume_writing()

    def _is_between_requests(self) -> bool:
        return self._begun or self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        if self._header_timer is None and not self.transport.is_closing():
            self._header_timer = self.loop.call_later(self.header_seconds, self._cut)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_stalled_timer(self) -> None:
        if self._stalled_timer is not None:
            self._stalled_timer.cancel()
            self._stalled_timer = None

    def _cut(self) -> None:
        self._header_timer = None
        if self.transport.is_closing():
            return
        # Another request's answer may still be on its way on this connection: nothing is written in between.
        if self._begun and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_TOO_SLOW)
        self.transport.close()
