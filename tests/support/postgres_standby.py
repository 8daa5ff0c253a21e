"""A PostgreSQL with a streaming standby, from the wheel, in a temporary folder that ends with the block.

A test decides how far behind the standby is: `hold` pauses its replay, `catch_up` resumes it.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from tests.support.postgres_server import PATIENCE_SECONDS, SUPERUSER, PostgresFailed, end, programs, unprivileged

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby": "on",
    # Reads on the standby and the replay do not block each other.
    "max_standby_streaming_delay": "0",
}


class Pair:
    """A primary and its standby. `url` and `standby_url` are settings for the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run_as = unprivileged()
        if self._run_as:
            os.chown(folder, self._run_as["user"], self._run_as["group"])
        self._programs = programs(folder, self._run_as)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://{SUPERUSER}@/{SUPERUSER}?host={self._folder}/primary-socket"

    @property
    def standby_url(self) -> str:
        return f"postgresql+asyncpg://{SUPERUSER}@/{SUPERUSER}?host={self._folder}/standby-socket"

    def make(self) -> None:
        """Starts both. Returns when they accept connections."""
        self._run("initdb", "--pgdata", self._folder / "primary", "--username", SUPERUSER, "--auth", "trust",
                  "--no-sync", "--encoding", "UTF8", "--locale-provider", "builtin",
                  "--builtin-locale", "C.UTF-8", "--locale", "C")  # fmt: skip
        self.start("primary")
        self._run("pg_basebackup", "-h", self._folder / "primary-socket", "-U", SUPERUSER,
                  "-D", self._folder / "standby", "--write-recovery-conf", "--checkpoint", "fast",
                  "--no-sync")  # fmt: skip
        self.start("standby")

    def _run(self, program: str, *arguments: str | Path) -> None:
        made = subprocess.run(
            [self._programs / program, *arguments], cwd=self._folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, **self._run_as,
        )  # fmt: skip
        if made.returncode:
            raise PostgresFailed(f"{program} failed:\n{made.stdout}")

    def start(self, name: str) -> None:
        """Starts one of the two again."""
        sockets = self._folder / f"{name}-socket"
        sockets.mkdir(exist_ok=True)
        if self._run_as:
            os.chown(sockets, self._run_as["user"], self._run_as["group"])
        options = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / name, "-k", sockets, *options],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._run_as,
            )  # fmt: skip
        deadline, state = time.monotonic() + PATIENCE_SECONDS, self._folder / name / "postmaster.pid"
        while not (state.exists() and state.read_text().rstrip().endswith("ready")):
            if self._running[name].poll() is not None or time.monotonic() > deadline:
                raise PostgresFailed(f"the {name} did not come up:\n{(self._folder / f'{name}.log').read_text()}")
            time.sleep(0.02)

    def stop(self, name: str) -> None:
        """Stops one of the two and closes its sessions."""
        server = self._running.pop(name, None)
        if server is not None and server.poll() is None:
            end(server)

    async def promote(self) -> None:
        """Makes the standby a primary; returns once it accepts writes."""
        await self._query_standby("select pg_promote()")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self._query_standby("select pg_is_in_recovery()"):
                await asyncio.sleep(0.02)

    async def hold(self) -> None:
        """Pauses the replay: the standby does not receive later commits of the primary."""
        await self._query_standby("select pg_wal_replay_pause()")
        while await self._query_standby("select pg_get_wal_replay_pause_state()") != "paused":
            await asyncio.sleep(0.02)

    async def resume(self) -> None:
        """Resumes the replay."""
        await self._query_standby("select pg_wal_replay_resume()")

    async def catch_up(self) -> None:
        """Resumes the replay. Returns when the standby has every commit."""
        await self.resume()
        primary = await asyncpg.connect(user=SUPERUSER, host=f"{self._folder}/primary-socket", database=SUPERUSER)
        written = await primary.fetchval("select pg_current_wal_lsn()::text")
        await primary.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._query_standby(f"select pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"):
                await asyncio.sleep(0.02)

    async def _query_standby(self, statement: str) -> object:
        connection = await asyncpg.connect(user=SUPERUSER, host=f"{self._folder}/standby-socket", database=SUPERUSER)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    """A primary with a standby that follows it."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-pair-"))
    both = Pair(folder)
    try:
        await asyncio.to_thread(both.make)
        yield both
    finally:
        for name in ("standby", "primary"):
            await asyncio.to_thread(both.stop, name)
        shutil.rmtree(folder, ignore_errors=True)
