"""Proxies in front of several server processes, as docs/operations.md has them.

HAProxy where it is installed, and a small one of the tests' own that does the same: it asks /ready, and sends nobody to
a process that is not.
"""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.architecture import ROOT
from tests.support.server_process import free_port

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


@asynccontextmanager
async def small_proxy(ports: Sequence[int], _: Path) -> AsyncIterator[str]:
    """Forwards each connection to the next ready process. Yields the address of the proxy."""
    ready: set[int] = set()
    turn = 0

    async def look() -> None:
        while True:
            for port in ports:
                (ready.add if await _is_ready(port) else ready.discard)(port)
            await asyncio.sleep(0.2)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        turn += 1
        order = sorted(ports, key=lambda port: (port not in ready, (ports.index(port) + turn) % len(ports)))
        for port in order:
            try:
                there = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
            return
        writer.transport.abort()

    looking = asyncio.create_task(look())
    listener = await asyncio.start_server(carry, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        looking.cancel()
        listener.close()


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            first = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in first


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()


@asynccontextmanager
async def haproxy(ports: Sequence[int], folder: Path) -> AsyncIterator[str]:
    """HAProxy with the configuration of docs/operations.md, its ports replaced by the test's."""
    page = (ROOT / "docs" / "operations.md").read_text()
    configuration = page.split("```haproxy\n")[1].split("```")[0]
    own = free_port()
    for standing, ours in (("*:80", f"127.0.0.1:{own}"), ("127.0.0.1:8001", f"127.0.0.1:{ports[0]}"),
                           ("127.0.0.1:8002", f"127.0.0.1:{ports[1]}")):  # fmt: skip
        assert standing in configuration
        configuration = configuration.replace(standing, ours)
    file = folder / "haproxy.cfg"
    file.write_text(configuration)
    assert HAPROXY is not None
    process = subprocess.Popen([HAPROXY, "-f", file, "-db"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(20):
            while not await _is_ready(own):
                assert process.poll() is None, "HAProxy does not take the configuration of docs/operations.md"
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{own}"
    finally:
        process.kill()
        process.wait()
