"""One process whose port the service manager keeps open: a restart under load delays requests and loses none."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import ROOT
from tests.support.databases import Databases
from tests.support.release import COUNT, PASSWORD, USERNAME, Load, install
from tests.support.server_process import PATIENCE, STOPPED_BY_SIGTERM, ServerProcess

# Passes the listener as descriptor 3, with the process's own number, as systemd does.
_START = "export LISTEN_PID=$$ LISTEN_FDS=1; exec " + sys.executable + " server.py serve"


def start(server: ServerProcess, listener: socket.socket) -> subprocess.Popen[bytes]:
    def pass_listener() -> None:
        os.dup2(listener.fileno(), 3)

    with (server.folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", _START], cwd=ROOT, env=server.environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, pass_fds=(3,), preexec_fn=pass_listener,
        )  # fmt: skip


# What is handed over is the socket; on SQLite also the file, which one process has at a time.
@pytest.mark.long
async def test_a_restart_loses_no_request(databases: Databases, backend: str, tmp_path: Path):
    url = await databases.fresh(backend)
    server = ServerProcess(url, tmp_path, {"WAYMARK_LIMIT_BUDGET": "0"})
    await install(ROOT, server)
    processes: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", server.port)) as listener:
        try:
            processes.append(start(server, listener))
            load = Load(server.address, USERNAME, PASSWORD)
            await load.start()
            for _ in range(2):
                before = load.sent
                async with asyncio.timeout(PATIENCE):
                    while load.sent < before + 40:
                        await asyncio.sleep(0.1)
                processes[-1].send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(processes[-1].wait, PATIENCE) == STOPPED_BY_SIGTERM
                processes.append(start(server, listener))
            await load.stop()
            assert load.failed == [], (tmp_path / "server.log").read_text()[-2000:]
            async with server.signed_in(USERNAME, PASSWORD) as admin:
                assert (await admin.data(COUNT))["employers"]["totalCount"] == len(load.written) > 20
        finally:
            for process in processes:
                process.kill()
                process.wait()
    await databases.release(url)
