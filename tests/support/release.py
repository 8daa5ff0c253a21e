"""A rolling release: two processes of one version behind a proxy, replaced by another version under load."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import cache_from_source
from pathlib import Path

import httpx2

from tests.support.architecture import ROOT, files
from tests.support.client import HttpClient
from tests.support.future_migrations import write_migration
from tests.support.preloaded_process import run
from tests.support.server_process import STOPPED_BY_SIGTERM, ServerProcess

READ = "{ employers(first: 5) { nodes { id name } } }"
CREATE = 'mutation { employerCreate(input: { name: "%s" }) { employer { id } errors { code } } }'
COUNT = '{ employers(search: "Site ") { totalCount } }'
USERNAME, PASSWORD = "ana@hill.example", "a heron on the weir"
# What a version needs of the repository to run.
_NOT_NEEDED = ("tests/", "bench/", "docs/screenshots/", "web/fonts/")


@dataclass
class Load:
    """Clients that read and write in turn, on connections that stay open, until `stop`.

    `write` returns the mutation that adds a record of a name. `waits` has the seconds that each answer took. Each
    client exchanges its tokens every `refresh_seconds`, before its access token expires: an answer of 401 is a failure.
    `sent` counts reads and writes, `refreshed` these exchanges.
    """

    address: str
    username: str
    password: str
    read: str = READ
    write: Callable[[str], str] = lambda name: CREATE % name
    clients: int = 4
    refresh_seconds: float = 300
    written: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    sent: int = 0
    refreshed: int = 0

    async def start(self) -> None:
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(self._work(number)) for number in range(self.clients)]

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _work(self, number: int) -> None:
        done = 0
        async with httpx2.AsyncClient(base_url=self.address, timeout=60) as client:
            person = HttpClient(client)
            await person.sign_in(self.username, self.password)
            tokens_from = time.monotonic()
            while not self._stop.is_set():
                if time.monotonic() - tokens_from >= self.refresh_seconds:
                    await self._refresh(person)
                    tokens_from = time.monotonic()
                name = f"Site {number}-{done}"
                for query in (self.read, self.write(name)):
                    self.sent += 1
                    begun = time.perf_counter()
                    try:
                        response = await person.post(query)
                    except httpx2.TransportError as error:
                        self.failed.append(repr(error))
                        continue
                    finally:
                        self.waits.append(time.perf_counter() - begun)
                    if response.status_code != 200 or "errors" in response.json():
                        self.failed.append(f"{response.status_code} {response.text[:200]}")
                    elif query != self.read:
                        [payload] = response.json()["data"].values()
                        if payload["errors"]:
                            self.failed.append(str(payload["errors"]))
                        else:
                            self.written.append(name)
                done += 1
                # Some hundred requests a second are load enough, and leave the proxy its share of the machine. With
                # fewer, a connection that is closed under a request is not found.
                await asyncio.sleep(0.02)

    async def _refresh(self, person: HttpClient) -> None:
        self.refreshed += 1
        try:
            await person.refresh()
        except (httpx2.TransportError, ValueError, AssertionError) as error:
            self.failed.append(f"tokenRefresh: {error!r}")


def copy_source(path: str, folder: Path) -> None:
    """Copies a file of the repository with its time, and its bytecode, which is then valid there too."""
    shutil.copy2(ROOT / path, folder / path)
    if path.endswith(".py") and (bytecode := Path(cache_from_source(ROOT / path))).exists():
        (folder / path).with_name("__pycache__").mkdir(exist_ok=True)
        shutil.copy2(bytecode, cache_from_source(folder / path))


def next_version(folder: Path) -> Path:
    """Makes a copy of this version with a migration that adds a column and removes another one afterwards."""
    for path in files():
        if not path.startswith(_NOT_NEEDED):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            copy_source(path, folder)
    versions = folder / "db" / "migrations"
    before = sorted(each.name for each in (versions / "versions").glob("[0-9]*.py"))[-1][:4]
    write_migration(
        versions, f"{int(before) + 1:04}", before, "Replaces the source of an employer",
        upgrade='op.add_column("employer", sa.Column("source", sa.Text(), nullable=True))',
        contract='op.drop_column("employer", "source")',
    )  # fmt: skip
    return folder


def command(root: Path, server: ServerProcess, *words: str, answers: str = "", seconds: float = 300) -> str:
    """Runs a command of a version with the settings of a server, for some seconds at most; returns what it prints."""
    if root == ROOT:
        done = run(*words, environment=server.environment, answers=answers)
        assert done.returncode == 0, done.stderr
        return done.stdout
    environment = {**server.environment, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "server.py", *words], cwd=root, env=environment, input=answers, capture_output=True, text=True,
        timeout=seconds,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


async def install(root: Path, server: ServerProcess) -> None:
    """Makes the tables and the first account, with a version's own commands."""
    await asyncio.to_thread(command, root, server, "migrate")
    words = ("admin", "--provider", "Hill College", "--ukprn", "10001234", "--name", "Ana Ito", "--email", USERNAME)
    await asyncio.to_thread(command, root, server, *words, answers=f"{PASSWORD}\n")


async def release(
    servers: list[ServerProcess], root: Path, report: Callable[[str], None] = lambda _: None, seconds: float = 300
) -> None:
    """Replaces the version of the processes as docs/operations.md describes: expand, replace each, contract.

    `seconds`: how long each half of the migrations may take.
    """
    report(await asyncio.to_thread(command, root, servers[0], "migrate", "--expand", seconds=seconds))
    for server in servers:
        server.terminate()
        assert await server.stopped() == STOPPED_BY_SIGTERM
        server.root = root
        await server.start()
        report(f"replaced the process at port {server.port}")
        # The proxy sees it before the other one goes.
        await asyncio.sleep(2)
    report(await asyncio.to_thread(command, root, servers[0], "migrate", "--contract", seconds=seconds))
    await asyncio.sleep(1)


def released_version(folder: Path, commit: str) -> Path:
    """Extracts a commit of this repository."""
    folder.mkdir(parents=True)
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=packed, check=True)
    return folder
