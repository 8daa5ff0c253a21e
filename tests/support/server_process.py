"""`server.py serve` in a process of its own, which a test can stop, kill and start again with the same data.

async with server_process(url, folder) as server:
    async with server.signed_in("learner") as ada: …
    server.kill()
    await server.start()
"""

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.architecture import ROOT
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD
from tests.support.preloaded_process import PreloadedProcess

# A machine that runs other tests beside may take long to start a process.
PATIENCE = 60.0
# A version in its own folder imports everything: 4.5 s of the processor, which took 29 s at a load of 14 on two cores.
START_PATIENCE = 180.0
# The exit status of a server that finished what ran: uvicorn then ends by the signal that it was sent.
STOPPED_BY_SIGTERM = -signal.SIGTERM


def free_port() -> int:
    """Returns a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class ServerProcess:
    """One server process at a time, always at the same address and with the same log file."""

    def __init__(self, database_url: str, folder: Path, environment: dict[str, str]) -> None:
        # Of the shell that starts it, as in most installations.
        self.umask = 0o022
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._log = folder / f"server-{self.port}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("WAYMARK_", "OTEL_"))}
        self.environment = {
            **inherited,
            "WAYMARK_DATABASE_URL": database_url,
            "WAYMARK_DATA": str(folder),
            "WAYMARK_PORT": str(self.port),
            "WAYMARK_BASE_URL": self.address,
            "WAYMARK_METRICS": "off",
            "WAYMARK_SECRET_KEYS": "test:" + base64.b64encode(bytes(range(32))).decode(),
            **environment,
        }
        # The folder of the version that runs.
        self.root = ROOT
        # New values of constants of modules, such as {"transport.health.FRESH_SECONDS": 0.1}.
        self.patches: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | PreloadedProcess | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self, **environment: str) -> None:
        """Starts it, and waits until it is ready. `environment`: further settings, for this start."""
        with self._log.open("ab") as log:
            every = {**self.environment, **environment}
            if self.root == ROOT:
                self.process = await asyncio.to_thread(
                    PreloadedProcess, ("serve",), every, log, log, umask=self.umask, patches=self.patches
                )
            else:
                assert not self.patches
                self.process = subprocess.Popen(
                    [sys.executable, "server.py", "serve"], cwd=self.root, env=every,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, umask=self.umask,
                )  # fmt: skip
        try:
            await self._until_ready()
        except TimeoutError:
            raise AssertionError(f"not ready in {START_PATIENCE:g} s: {self._log.read_text()[-3000:]}") from None

    async def _until_ready(self) -> None:
        assert self.process is not None
        async with asyncio.timeout(START_PATIENCE), httpx2.AsyncClient(timeout=PATIENCE) as client:
            while True:
                assert self.process.poll() is None, self._log.read_text()
                try:
                    if (await client.get(f"{self.address}/ready")).status_code == 200:
                        return
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.05)

    def terminate(self) -> None:
        """Sends SIGTERM, as a service manager does."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL and waits for the end of the process."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait(PATIENCE)

    async def stopped(self) -> int:
        """Waits for the end of the process and returns its exit status."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    def log(self) -> list[dict[str, Any]]:
        """Returns the JSON lines of the log."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    @asynccontextmanager
    async def anonymous(self) -> AsyncIterator[HttpClient]:
        async with httpx2.AsyncClient(base_url=self.address, timeout=PATIENCE) as client:
            yield HttpClient(client)

    @asynccontextmanager
    async def signed_in(self, username: str, password: str = PASSWORD) -> AsyncIterator[HttpClient]:
        async with self.anonymous() as person:
            await person.sign_in(username, password)
            yield person


@asynccontextmanager
async def server_process(
    database_url: str, folder: Path, patches: dict[str, Any] | None = None, **environment: str
) -> AsyncIterator[ServerProcess]:
    """Runs a server until the block ends, then kills the process if it still runs. `patches`: of `ServerProcess`."""
    server = ServerProcess(database_url, folder, environment)
    server.patches = patches or {}
    try:
        await server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
