"""A process without a free descriptor logs one line, and serves again as soon as there is one, without a restart."""

import asyncio
import resource
import socket
from pathlib import Path

from tests.support.demo_server import Demo
from tests.support.server_process import ServerProcess, server_process

LIMIT = 64


def logged(server: ServerProcess, event: str) -> list[dict]:
    return [line for line in server.log() if line["event"] == event]


async def test_descriptors_run_out_and_come_back(demo: Demo, tmp_path: Path) -> None:
    async with server_process(await demo.copied("sqlite", tmp_path), tmp_path) as server:
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2 * LIMIT)]
        # What runs beside requests gives back a few descriptors at times: somebody takes them at once.
        async with asyncio.timeout(30):
            while not logged(server, "descriptors_exhausted"):
                clients += [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
                await asyncio.sleep(0.2)
        [line] = logged(server, "descriptors_exhausted")
        assert (line["limit"], line["level"]) == (LIMIT, "error") and "LimitNOFILE" in line["hint"]
        await asyncio.sleep(3)
        assert server.process is not None and server.process.poll() is None
        for client in clients:
            client.close()
        async with asyncio.timeout(30):
            while not logged(server, "descriptors_available"):
                await asyncio.sleep(0.2)
        async with server.signed_in("master.admin") as person:
            assert (await person.data("{ viewer { role } }"))["viewer"]["role"] == "MASTER_ADMIN"
        events = [line["event"] for line in server.log()]
        assert events.count("descriptors_exhausted") == events.count("descriptors_available") == 1
        # Nothing else is logged in between: no line for each connection, no stack trace.
        assert not {event for event in events if "exception" in event}
