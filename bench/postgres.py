"""The bench's PostgreSQL, from the same wheel as the tests'. Its data stays in the bench's folder between runs."""

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.postgres_server import PostgresFailed, programs, unprivileged

SUPERUSER = "postgres"
_START_TIMEOUT_SECONDS = 60.0

# The bench measures reads from memory. Durability is off: a lost cohort is built again.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "32MB",
    "random_page_cost": "1.1",
    "listen_addresses": "",
    # No background work changes statistics or pages during a measurement; a cohort is analysed when it is built.
    "autovacuum": "off",
}

# What a commit costs belongs to a write.
_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


class Postgres:
    """A server that runs during a `with` block. `pid` is its first process, `log` its log file.

    `durable`: a commit waits until it is on the disk, as in an installation. `settings`: more of PostgreSQL's settings.
    """

    def __init__(self, folder: Path, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self._data = folder / "data"
        self._settings = {**_SETTINGS, **(_DURABLE if durable else {}), **(settings or {})}
        self.log = folder / "log"
        # The path of a Unix socket is limited to about 100 bytes, so it is not inside `folder`.
        self.sockets = Path(tempfile.mkdtemp(prefix="waymark-bench-"))
        self._run_as = unprivileged()
        folder.mkdir(parents=True, exist_ok=True)
        if self._run_as:
            for path in (folder, self.sockets):
                os.chown(path, self._run_as["user"], self._run_as["group"])
        self._programs = programs(folder, self._run_as)
        self._folder = folder

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def version(self) -> str:
        """The version, such as `PostgreSQL 18.1`."""
        output = subprocess.run(
            [self._programs / "postgres", "--version"], capture_output=True, text=True, **self._run_as
        )
        return output.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")

    def url(self, database: str = SUPERUSER) -> str:
        """Returns the database's URL for SQLAlchemy with asyncpg."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={self.sockets}"

    def __enter__(self) -> Self:
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PostgresFailed(f"another bench is running in {self._folder}") from None
        if not (self._data / "PG_VERSION").exists():
            self._initialize()
        self._stop_leftover_server()
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("wb") as output:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self.sockets, *options],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._run_as,
            )  # fmt: skip
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        state = self._data / "postmaster.pid"
        while not (state.exists() and state.read_text().rstrip().endswith("ready")):
            if self._server.poll() is not None or time.monotonic() > deadline:
                self._server.kill()
                raise PostgresFailed(f"the server did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # SIGINT is a fast shutdown: it closes open connections instead of waiting for them.
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(30)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
        self.sockets.rmdir()
        self._lock.close()

    def _stop_leftover_server(self) -> None:
        """Stops the server of a bench that was killed, because it still uses the data folder."""
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().split()[0])
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while _is_server_of(pid, self._data):
            os.kill(pid, signal.SIGQUIT)
            if time.monotonic() > deadline:
                raise PostgresFailed(f"process {pid} still uses {self._data}")
            time.sleep(0.2)
        pid_file.unlink(missing_ok=True)

    def _initialize(self) -> None:
        initdb = subprocess.run(
            [self._programs / "initdb", "--pgdata", self._data, "--username", SUPERUSER, "--auth", "trust", "--no-sync",
             "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"],
            cwd=self._folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self._run_as,
        )  # fmt: skip
        if initdb.returncode:
            raise PostgresFailed(f"initdb failed:\n{initdb.stdout}")


def _is_server_of(pid: int, data: Path) -> bool:
    """Returns whether the process is a PostgreSQL on that folder, not another process with a reused id."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
