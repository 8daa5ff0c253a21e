"""PostgreSQL under Patroni with etcd, HAProxy and PgBouncer: three nodes on this machine, in a temporary folder.

A node is a Patroni with its PostgreSQL. HAProxy asks each Patroni whether its PostgreSQL leads or follows; PgBouncer
stands before HAProxy in transaction mode, as docs/scaling.md describes it.
"""

import asyncio
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.support.postgres_server import unprivileged
from tests.support.server_process import free_port

NODES = ("one", "two", "three")
# What a whole step may take on a machine that does other work.
PATIENCE_SECONDS = 120.0
DATABASE = "postgres"


def _program(name: str, *folders: str) -> str | None:
    return shutil.which(name) or next((found for each in folders if (found := shutil.which(name, path=each))), None)


PATRONI, ETCD = _program("patroni"), _program("etcd")
HAPROXY, PGBOUNCER = _program("haproxy", "/usr/sbin"), _program("pgbouncer", "/usr/sbin")
POSTGRES_FOLDERS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
IS_INSTALLED = None not in (PATRONI, ETCD, HAPROXY, PGBOUNCER) and bool(POSTGRES_FOLDERS)


class Node:
    """A Patroni with its PostgreSQL."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.port, self.rest_port = free_port(), free_port()
        self.data = folder / name
        self.process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """Kills Patroni and every process of its PostgreSQL at once, as a machine that loses its power does."""
        assert self.process is not None
        self.process.kill()
        with suppress(FileNotFoundError, ProcessLookupError):
            # The others end when the first has gone.
            os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        self.process.wait()


class Cluster:
    """Three nodes. `url` is PgBouncer's for the leader, `read_url` that for replicas, `listen_url` the leader's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run_as = unprivileged()
        self.nodes = [Node(name, folder) for name in NODES]
        self._etcd = [(free_port(), free_port()) for _ in NODES]
        self._leader_port, self._replica_port, self._pool_port = free_port(), free_port(), free_port()
        self._helpers: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._pool_port}/leader"

    @property
    def read_url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._pool_port}/replica"

    @property
    def listen_url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._leader_port}/{DATABASE}"

    async def start(self) -> None:
        """Starts everything; returns once one node leads and two follow."""
        self._own(self.folder)
        for number in range(len(NODES)):
            self._start_etcd(number)
        for node in self.nodes:
            self.start_node(node)
        self._run("haproxy", HAPROXY, "-db", "-f", self._write("haproxy.cfg", self._haproxy()))
        self._run("pgbouncer", PGBOUNCER, self._write("pgbouncer.ini", self._pgbouncer()))
        await self.until_whole()

    def start_node(self, node: Node) -> None:
        """Starts a node, also one that was killed."""
        configuration = self._write(f"{node.name}.json", json.dumps(self._patroni(node)))
        node.process = self._popen(node.name, PATRONI, configuration)

    async def leader(self) -> Node | None:
        """Returns the node that accepts writes."""
        for node in self.nodes:
            if await self._status(node, "primary") == 200:
                return node
        return None

    async def until_whole(self) -> None:
        """Waits until one node leads, two follow it, and one of them synchronously."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while [await self._number_of(role) for role in ("primary", "replica", "sync")] != [1, 2, 1]:
                await asyncio.sleep(0.5)

    def stop(self) -> None:
        """Kills every process."""
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.kill()
        for process in self._helpers:
            process.kill()
            process.wait()

    async def _number_of(self, role: str) -> int:
        return [await self._status(node, role) for node in self.nodes].count(200)

    async def _status(self, node: Node, role: str) -> int:
        try:
            async with httpx2.AsyncClient(timeout=2) as client:
                return (await client.get(f"http://127.0.0.1:{node.rest_port}/{role}")).status_code
        except httpx2.TransportError:
            return 0

    # ------------------------------------------------------------------ programs and their configuration

    def _own(self, path: Path) -> None:
        if self._run_as:
            os.chown(path, self._run_as["user"], self._run_as["group"])

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        self._own(path)
        return path

    def _popen(self, name: str, *command: Any) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "HOME": str(self.folder)}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self._run_as,
            )  # fmt: skip

    def _run(self, name: str, *command: Any) -> None:
        self._helpers.append(self._popen(name, *command))

    def _start_etcd(self, number: int) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in self._etcd[number])
        members = ",".join(f"{name}=http://127.0.0.1:{ports[1]}" for name, ports in zip(NODES, self._etcd, strict=True))
        self._run(
            f"etcd-{NODES[number]}", ETCD, "--name", NODES[number], "--data-dir", self.folder / f"etcd-{NODES[number]}",
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", members, "--initial-cluster-state", "new",
            # All nodes are on one machine, which is busy.
            "--heartbeat-interval", "300", "--election-timeout", "3000",
        )  # fmt: skip

    def _patroni(self, node: Node) -> dict[str, Any]:
        user = {"username": "postgres", "password": "unused"}
        return {
            "scope": "waymark",
            "name": node.name,
            "restapi": {"listen": f"127.0.0.1:{node.rest_port}", "connect_address": f"127.0.0.1:{node.rest_port}"},
            "etcd3": {"hosts": [f"127.0.0.1:{ports[0]}" for ports in self._etcd]},
            "bootstrap": {
                "dcs": {
                    "ttl": 20, "loop_wait": 5, "retry_timeout": 5, "maximum_lag_on_failover": 1048576,
                    # A commit is acknowledged once a standby has it.
                    "synchronous_mode": True,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {"wal_log_hints": "on", "max_connections": 200, "shared_buffers": "64MB"},
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node.port}", "connect_address": f"127.0.0.1:{node.port}",
                "data_dir": str(node.data), "bin_dir": POSTGRES_FOLDERS[-1], "pgpass": str(self.folder / ".pgpass"),
                "authentication": {"superuser": user, "replication": user, "rewind": user},
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
        }  # fmt: skip

    def _haproxy(self) -> str:
        text = "defaults\n mode tcp\n timeout connect 2s\n timeout client 1h\n timeout server 1h\n timeout check 3s\n"
        for role, port in (("primary", self._leader_port), ("replica", self._replica_port)):
            text += (
                f"listen {role}\n bind 127.0.0.1:{port}\n option httpchk GET /{role}\n http-check expect status 200\n"
                " default-server inter 1s fastinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n"
            )
            text += "".join(
                f" server {node.name} 127.0.0.1:{node.port} check port {node.rest_port}\n" for node in self.nodes
            )
        return text

    def _pgbouncer(self) -> str:
        return (
            f"[databases]\nleader = host=127.0.0.1 port={self._leader_port} dbname={DATABASE} user=postgres\n"
            f"replica = host=127.0.0.1 port={self._replica_port} dbname={DATABASE} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self._pool_port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 20\nmax_client_conn = 400\n"
            # Its default waits 15 s between two attempts to connect.
            "server_login_retry = 1\nquery_wait_timeout = 5\n"
        )


@asynccontextmanager
async def postgres_cluster() -> AsyncIterator[Cluster]:
    """A running cluster, whose folder is removed with it."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-cluster-"))
    cluster = Cluster(folder)
    try:
        await cluster.start()
        yield cluster
    finally:
        cluster.stop()
        await asyncio.sleep(0.5)
        shutil.rmtree(folder, ignore_errors=True)
