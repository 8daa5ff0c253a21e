"""The load generator, a process of its own: each connection sends one request after the other.

`python -m bench.load PORT CONNECTIONS SECONDS MAX_REQUESTS OFFSET < requests` reads a pickled list of encoded requests
and writes the results as JSON. It connects to loopback only and stops at MAX_REQUESTS at the latest.
"""

import asyncio
import json
import pickle
import re
import sys
import time
from typing import Any

import uvloop

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    """A keep-alive connection: sends a request, waits for the complete response, sends the next."""

    def __init__(self, load: "Load", finished: asyncio.Future[None]) -> None:
        self._load, self._finished = load, finished
        self._received, self._expected = bytearray(), 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = self._load.next_request()
        if request is None:
            self._transport.close()
            if not self._finished.done():
                self._finished.set_result(None)
            return
        self._received.clear()
        self._expected, self._sent_at = 0, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _CONTENT_LENGTH.search(self._received, 0, end + 2)
            if length is None:
                self._fail("a response has no Content-Length")
                return
            self._expected = end + 4 + int(length[1])
        if len(self._received) >= self._expected:
            self._load.record(time.perf_counter() - self._sent_at, self._received)
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection was lost: {error}")

    def _fail(self, reason: str) -> None:
        if not self._finished.done():
            self._finished.set_exception(RuntimeError(reason))


class Load:
    """The requests and the results of all connections."""

    def __init__(self, requests: list[bytes], seconds: float, max_requests: int, offset: int) -> None:
        self._requests, self._max_requests, self._position = requests, max_requests, offset
        self._sent, self._deadline = 0, time.perf_counter() + seconds
        self._times: list[float] = []
        self._bytes = self._errors = 0

    def next_request(self) -> bytes | None:
        """Returns the next request, or None at the end."""
        if self._sent >= self._max_requests or time.perf_counter() >= self._deadline:
            return None
        self._sent += 1
        self._position += 1
        return self._requests[self._position % len(self._requests)]

    def record(self, seconds: float, response: bytearray) -> None:
        """Records a response and its time."""
        self._times.append(seconds)
        self._bytes += len(response)
        self._errors += not response.startswith(b"HTTP/1.1 200") or b'"errors":' in response

    async def run(self, port: int, connections: int) -> dict[str, Any]:
        """Sends requests until the end; returns counts, seconds, and percentiles in milliseconds."""
        loop, started_at = asyncio.get_running_loop(), time.perf_counter()
        futures = [loop.create_future() for _ in range(connections)]
        for future in futures:
            # The default argument binds the future of this iteration.
            def connection(finished: asyncio.Future[None] = future) -> _Connection:
                return _Connection(self, finished)

            await loop.create_connection(connection, "127.0.0.1", port)
        await asyncio.gather(*futures)
        ordered = sorted(self._times)
        return {
            "requests": len(ordered),
            "seconds": time.perf_counter() - started_at,
            "errors": self._errors,
            "bytes": self._bytes,
            "p50": ordered[len(ordered) // 2] * 1000,
            "p99": ordered[len(ordered) * 99 // 100] * 1000,
        }


if __name__ == "__main__":
    port, connections, seconds, max_requests, offset = (float(argument) for argument in sys.argv[1:])
    load = Load(pickle.load(sys.stdin.buffer), seconds, int(max_requests), int(offset))
    json.dump(uvloop.run(load.run(int(port), int(connections))), sys.stdout)
