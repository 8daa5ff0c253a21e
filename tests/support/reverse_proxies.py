"""Proxies in front of several server processes: those of deploy/, and a small one of the tests' own.

HAProxy and nginx are used where they are installed. The small one does the same: it sends nobody to a process whose
/ready is not 200.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.architecture import ROOT
from tests.support.server_process import free_port

DEPLOY = ROOT / "deploy"
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


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
    """HAProxy with deploy/haproxy.cfg, at the addresses of the test."""
    assert HAPROXY is not None
    own = free_port()
    addresses = {"WAYMARK_BIND": f"127.0.0.1:{own}"} | {
        f"WAYMARK_{name}": f"127.0.0.1:{port}" for name, port in zip(("ONE", "TWO"), ports, strict=True)
    }
    command = [HAPROXY, "-f", str(DEPLOY / "haproxy.cfg"), "-db"]
    async with _running(command, own, {**os.environ, **addresses}):
        yield f"http://127.0.0.1:{own}"


@asynccontextmanager
async def nginx(ports: Sequence[int], folder: Path) -> AsyncIterator[str]:
    """nginx with deploy/nginx.conf, its ports replaced by the test's."""
    assert NGINX is not None
    own = free_port()
    configuration = (DEPLOY / "nginx.conf").read_text()
    for documented, actual in (("listen 80;", f"listen 127.0.0.1:{own};"), ("127.0.0.1:8001", f"127.0.0.1:{ports[0]}"),
                               ("127.0.0.1:8002", f"127.0.0.1:{ports[1]}")):  # fmt: skip
        assert documented in configuration
        configuration = configuration.replace(documented, actual)
    (folder / "waymark.conf").write_text(configuration)
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n include {folder}/waymark.conf; }}\n"
    )
    checked = subprocess.run([NGINX, "-t", "-c", main, "-p", folder], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    async with _running([NGINX, "-c", str(main), "-p", str(folder)], own, dict(os.environ)):
        yield f"http://127.0.0.1:{own}"


@asynccontextmanager
async def _running(command: list[str], port: int, environment: dict[str, str]) -> AsyncIterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(20):
            while not await _is_ready(port):
                assert process.poll() is None, f"{command[0]} does not start"
                await asyncio.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()
