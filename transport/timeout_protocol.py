"""uvicorn's HTTP protocol with timeouts for the headers of a request, and for clients that do not read a response.

The timeouts of bodies are where they are read: `graphql/request.py` and `files/`.
"""

from asyncio import BaseTransport, TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# From the connection, or the end of the last response, to the end of the headers.
HEADER_SECONDS = 8.0
# How long the client of a response may read nothing.
STALLED_SECONDS = 60.0

_REQUEST_TIMEOUT = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 36\r\n"
    b"connection: close\r\n\r\nThe request did not arrive in time.\n"
)


class TimeoutProtocol(HttpToolsProtocol):
    """Closes a connection if the headers of a request do not arrive in time, or a response is not read in time."""

    header_seconds = HEADER_SECONDS
    stalled_seconds = STALLED_SECONDS
    _header_timer: TimerHandle | None = None
    _stalled_timer: TimerHandle | None = None
    _request_begun = False

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn says Transport
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # For the next request on the connection: a single byte cancels uvicorn's own keep-alive timer.
        if self.parser is not None and self.transport.get_protocol() is self and self._is_between_requests():
            self._await_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._request_begun = True
        self._await_headers()

    def on_headers_complete(self) -> None:
        self._request_begun = False
        self._stop_header_timer()
        super().on_headers_complete()
        # A client of a server that is about to stop must connect again, to another server, for its next request.
        if getattr(self.server_state, "draining", False) and self.cycle is not None:
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
        return self._request_begun or self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        if self._header_timer is None and not self.transport.is_closing():
            self._header_timer = self.loop.call_later(self.header_seconds, self._time_out)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_stalled_timer(self) -> None:
        if self._stalled_timer is not None:
            self._stalled_timer.cancel()
            self._stalled_timer = None

    def _time_out(self) -> None:
        self._header_timer = None
        if self.transport.is_closing():
            return
        # Nothing may be written while the response to an earlier request is being sent.
        if self._request_begun and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_REQUEST_TIMEOUT)
        self.transport.close()
