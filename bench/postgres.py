"""The bench's PostgreSQL, out of the same wheel as the tests': its cluster stays in the bench's folder between runs."""

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.postgres_server import PostgresFailed, programs, unprivileged

SUPERUSER = "postgres"
_PATIENCE_SECONDS = 60.0

# Reads are measured, from memory. Nothing here is worth a wait for the disk: a cohort that is lost is made again.
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
    # Nothing moves the statistics or dirties pages while something is measured; the cohort is analysed when it is made.
    "autovacuum": "off",
}


class Postgres:
    """A server that runs while the `with` block does. `pid` is its first process, `log` what it wrote."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self.log = folder / "log"
        # The path of a socket has to be short, and the folder's may be long.
        self.sockets = Path(tempfile.mkdtemp(prefix="waymark-bench-"))
        self._run_as = unprivileged()
        folder.mkdir(parents=True, exist_ok=True)
        if self._run_as:
            for each in (folder, self.sockets):
                os.chown(each, self._run_as["user"], self._run_as["group"])
        self._programs = programs(folder, self._run_as)
        self._folder = folder

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def version(self) -> str:
        """Such as `PostgreSQL 18.1`."""
        said = subprocess.run(
            [self._programs / "postgres", "--version"], capture_output=True, text=True, **self._run_as
        )
        return said.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")

    def url(self, database: str = SUPERUSER) -> str:
        """As SQLAlchemy takes it, for asyncpg."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={self.sockets}"

    def __enter__(self) -> Self:
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PostgresFailed(f"another bench runs in {self._folder}") from None
        if not (self._data / "PG_VERSION").exists():
            self._make()
        self._end_what_was_left()
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("wb") as output:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self.sockets, *options],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._run_as,
            )  # fmt: skip
        deadline = time.monotonic() + _PATIENCE_SECONDS
        state = self._data / "postmaster.pid"
        while not (state.exists() and state.read_text().rstrip().endswith("ready")):
            if self._server.poll() is not None or time.monotonic() > deadline:
                self._server.kill()
                raise PostgresFailed(f"the server did not come up:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A fast shutdown: it ends the sessions that are still open, and does not wait for them.
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(30)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
        self.sockets.rmdir()
        self._lock.close()

    def _end_what_was_left(self) -> None:
        """A bench that was killed left its server behind, which still holds the cluster."""
        note = self._data / "postmaster.pid"
        if not note.exists():
            return
        number = int(note.read_text().split()[0])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _serves(number, self._data):
            os.kill(number, signal.SIGQUIT)
            if time.monotonic() > deadline:
                raise PostgresFailed(f"process {number} still holds {self._data}")
            time.sleep(0.2)
        note.unlink(missing_ok=True)

    def _make(self) -> None:
        made = subprocess.run(
            [self._programs / "initdb", "--pgdata", self._data, "--username", SUPERUSER, "--auth", "trust", "--no-sync",
             "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"],
            cwd=self._folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self._run_as,
        )  # fmt: skip
        if made.returncode:
            raise PostgresFailed(f"initdb failed:\n{made.stdout}")


def _serves(number: int, data: Path) -> bool:
    """Whether that process is a PostgreSQL on that folder, and not whoever has its number now."""
    try:
        return os.fsencode(data) in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
