"""The database stops answering and keeps its connections: 503 within ten seconds, recovery without a restart."""

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from db.database import Database
from db.migrate import migrate
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.postgres_server import PostgresServer
from tests.support.server_process import ServerProcess, server_process
from tests.support.subscriptions import Stream, streaming
from tests.support.tcp_proxy import TcpProxy
from tests.system.faults.test_database_outage import CHANGE, QUERY, assert_unavailable, until_available, until_ready

# What the operator is promised.
ANSWER_SECONDS = 10
LISTENER_SECONDS = 30
# Sweeper, history, e-mails about tasks and the state of the installation may each hold one more connection of the pool.
BESIDE = 4
RENAME = "mutation($id: ID!, $name: String!) { learnerUpdate(id: $id, input: { name: $name }) { errors { code } } }"


class Connections:
    """How many connections a server has at a database, counted on a connection past every proxy."""

    def __init__(self, url: str) -> None:
        target = make_url(url)
        self._arguments = {"user": target.username, "database": target.database, "host": target.query.get("host")}

    async def count(self) -> int:
        connection = await asyncpg.connect(**self._arguments)
        try:
            return await connection.fetchval(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and application_name = 'waymark'"
            )
        finally:
            await connection.close()


async def assert_503_within_ten_seconds(person: HttpClient) -> None:
    async with asyncio.timeout(ANSWER_SECONDS):
        read, write, ready, health = await asyncio.gather(
            person.post(QUERY), person.post(CHANGE % "Never"), person.http.get("/ready"), person.http.get("/health")
        )
    assert_unavailable(read)
    assert_unavailable(write)
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5"), ready.text
    assert health.status_code == 200


async def rename(person: HttpClient, learner: str, name: str) -> None:
    assert (await person.data(RENAME, id=learner, name=name))["learnerUpdate"]["errors"] == []


async def until_received(stream: Stream, name: str) -> None:
    """Waits for the message that a learner has this name; messages about others may come before."""
    async with asyncio.timeout(LISTENER_SECONDS):
        while (message := await stream.messages.get()) is not None:
            assert "errors" not in message, message
            if message["data"]["learnerChanged"]["name"] == name:
                return
    raise AssertionError("the stream ended")


def assert_logged_once(server: ServerProcess, event: str, rounds: int) -> None:
    lines = server.log()
    gone = [line for line in lines if line["event"] == f"{event}_unavailable"]
    back = [line for line in lines if line["event"] == f"{event}_available"]
    assert (len(gone), len(back)) == (rounds, rounds), (gone, back)
    assert all(line["cause"] and len(line["cause"]) <= 200 and "\n" not in line["cause"] for line in gone)
    assert all(line["outage_seconds"] > 0 for line in back)


async def assert_survives(
    server: ServerProcess, url: str, silence, speak, seconds: float, rounds: int, noticed: tuple[str, ...]
) -> None:  # type: ignore[no-untyped-def]
    """Reads, writes, /ready and a stream during and after `rounds` of silence.

    Each is at least `seconds` long, and goes on until these events are logged.
    """
    connections = Connections(url)
    async with server.signed_in("master.admin") as person:
        learner = (await person.data("{ learners(first: 1) { nodes { id } } }"))["learners"]["nodes"][0]["id"]
        async with streaming(person, "subscription { learnerChanged { id name } }") as stream:
            await rename(person, learner, "Before")
            await until_received(stream, "Before")
            await asyncio.gather(*(person.post(QUERY) for _ in range(20)))
            before = await connections.count()
            for round_ in range(rounds):
                silence()
                # An answer of /ready is used again for a second.
                await asyncio.sleep(1)
                ends = asyncio.get_running_loop().time() + seconds
                is_over = False
                while not is_over:
                    logged = [line["event"] for line in server.log()]
                    is_noticed = all(logged.count(event) > round_ for event in noticed)
                    is_over = is_noticed and asyncio.get_running_loop().time() >= ends
                    # What was noticed goes on for a while, whose length is logged in tenths of a second.
                    await asyncio.sleep(0.2)
                    await assert_503_within_ten_seconds(person)
                await speak()
                await until_available(person)
                await until_ready(person)
                await rename(person, learner, f"After {round_}")
                await until_received(stream, f"After {round_}")
            await asyncio.gather(*(person.post(QUERY) for _ in range(20)))
            async with asyncio.timeout(30):
                while await connections.count() > before + BESIDE:
                    await asyncio.sleep(0.2)
        found = await person.data('{ employers(search: "Never") { totalCount } }')
        assert found["employers"]["totalCount"] == 0
    assert server.process is not None and server.process.poll() is None


@pytest.mark.parametrize(("seconds", "rounds"), [(0, 1), pytest.param(20, 2, marks=pytest.mark.long)])
async def test_a_black_hole(demo: Demo, tmp_path: Path, seconds: float, rounds: int) -> None:
    """No byte arrives any more in either direction, and no connection is closed."""
    url = await demo.copied("postgresql", tmp_path)
    patches = {} if seconds else {"services.change_feed.listener.HEARTBEAT_SECONDS": 1.0}
    async with TcpProxy(url) as proxy, server_process(proxy.url, tmp_path, patches) as server:
        noticed = ("database_unavailable", "change_listener_unavailable")
        await assert_survives(server, url, proxy.silence, proxy.restore, seconds, rounds, noticed)
        assert_logged_once(server, "database", rounds)
        assert_logged_once(server, "change_listener", rounds)


# A black hole, above, is the short form.
@pytest.mark.long
@pytest.mark.parametrize("seconds", [0, 15])
async def test_a_stopped_server(tmp_path: Path, seconds: float) -> None:
    """Every process of PostgreSQL is stopped: the kernel still accepts connections, and nothing answers."""
    postgres = await asyncio.to_thread(PostgresServer)
    try:
        url = postgres.url()
        database = Database(url)
        await migrate(database)
        await build_demo(database, open_store(tmp_path / "files"))
        await database.close()

        def stop() -> None:
            _signal_all(postgres, signal.SIGSTOP)

        async def go_on() -> None:
            _signal_all(postgres, signal.SIGCONT)

        async with server_process(url, tmp_path) as server:
            try:
                await assert_survives(server, url, stop, go_on, seconds, 1, ("database_unavailable",))
            finally:
                await go_on()
            assert_logged_once(server, "database", 1)
    finally:
        await asyncio.to_thread(postgres.stop)


def _signal_all(postgres: PostgresServer, number: signal.Signals) -> None:
    for pid in _processes(postgres):
        # A process that serves a connection may end while the others are signalled.
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _processes(postgres: PostgresServer) -> list[int]:
    """The postmaster and its children, the postmaster first."""
    postmaster = int((postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
    if children.exists():
        return [postmaster, *map(int, children.read_text().split())]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [postmaster, *(pid for pid, parent in pairs if parent == postmaster)]
