"""The load: so many connections, each asking one request after the other, for so long. A process of its own.

`python -m bench.load PORT CONNECTIONS SECONDS MOST OFFSET < requests` reads the requests as pickled bytes and writes what
it saw as JSON. Loopback only; it stops at MOST requests however long it may run.
"""

import asyncio
import json
import pickle
import re
import sys
import time
from typing import Any

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class _Asker(asyncio.Protocol):
    """One kept connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, load: "Load", finished: asyncio.Future[None]) -> None:
        self._load, self._finished = load, finished
        self._received, self._expected = bytearray(), 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        request = self._load.next()
        if request is None:
            self._transport.close()
            if not self._finished.done():
                self._finished.set_result(None)
            return
        self._received.clear()
        self._expected, self._asked = 0, time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._received, 0, end + 2)
            if length is None:
                self._fail("an answer without a length")
                return
            self._expected = end + 4 + int(length[1])
        if len(self._received) >= self._expected:
            self._load.took(time.perf_counter() - self._asked, self._received)
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection went away: {error}")

    def _fail(self, why: str) -> None:
        if not self._finished.done():
            self._finished.set_exception(RuntimeError(why))


class Load:
    """What all connections share: the requests in turn, and what came of them."""

    def __init__(self, requests: list[bytes], seconds: float, most: int, offset: int) -> None:
        self._requests, self._most, self._place = requests, most, offset
        self._sent, self._until = 0, time.perf_counter() + seconds
        self._times: list[float] = []
        self._bytes = self._bad = 0

    def next(self) -> bytes | None:
        """The next request, None once there shall be no more."""
        if self._sent >= self._most or time.perf_counter() >= self._until:
            return None
        self._sent += 1
        self._place += 1
        return self._requests[self._place % len(self._requests)]

    def took(self, seconds: float, answer: bytearray) -> None:
        """One answer and its time."""
        self._times.append(seconds)
        self._bytes += len(answer)
        self._bad += not answer.startswith(b"HTTP/1.1 200") or b'"errors":' in answer

    async def run(self, port: int, connections: int) -> dict[str, Any]:
        """Asks until the end; counts, seconds, and latencies in milliseconds."""
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        finished = [loop.create_future() for _ in range(connections)]
        for each in finished:
            await loop.create_connection(lambda each=each: _Asker(self, each), "127.0.0.1", port)
        await asyncio.gather(*finished)
        ordered = sorted(self._times)
        return {
            "requests": len(ordered),
            "seconds": time.perf_counter() - began,
            "bad": self._bad,
            "bytes": self._bytes,
            "p50": ordered[len(ordered) // 2] * 1000,
            "p99": ordered[len(ordered) * 99 // 100] * 1000,
        }


if __name__ == "__main__":
    port, connections, seconds, most, offset = (float(argument) for argument in sys.argv[1:])
    load = Load(pickle.load(sys.stdin.buffer), seconds, int(most), int(offset))
    json.dump(uvloop.run(load.run(int(port), int(connections))), sys.stdout)
