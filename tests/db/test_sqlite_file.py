"""The file of an SQLite database: its one server, and the write-ahead log beside it."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from db import sqlite_file
from db.sqlite_file import empty_log, network_filesystem, only_server, short_log
from tests.support.architecture import ROOT

LARGE = 1 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "waymark.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE page (content)")
    return path


def grow(file: Path) -> sqlite3.Connection:
    """Writes 2 MB; the connection that is returned keeps the log from being removed."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("INSERT INTO page VALUES (zeroblob(2000000))")
    assert log_size(file) > LARGE
    return connection


def log_size(file: Path) -> int:
    return file.with_name(f"{file.name}-wal").stat().st_size


def served_by_another(url: str) -> subprocess.CompletedProcess[str]:
    program = f"from db.sqlite_file import only_server\nwith only_server({url!r}): print('serves')"
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)


def test_a_server_makes_commits_durable(file: Path):
    """In a process of its own: the tests do not wait for the disk."""
    program = (
        "import asyncio, sys\nfrom sqlalchemy import text\nfrom db.database import Database\n"
        "async def read():\n"
        f"    database = Database('sqlite+aiosqlite:///{file}')\n"
        "    async with database.writing() as session:\n"
        "        print(await session.scalar(text('PRAGMA synchronous')))\n"
        "    await database.close()\n"
        "asyncio.run(read())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "2\n", done.stderr


def test_one_server_uses_a_file_and_the_next_one_when_it_has_ended(file: Path):
    url = f"sqlite:///{file}"
    with only_server(url):
        refused = served_by_another(url)
        assert refused.returncode == 1 and "DatabaseInUse" in refused.stderr and "PostgreSQL" in refused.stderr
        # A command may use the file meanwhile.
        grow(file).close()
    assert served_by_another(url).stdout == "serves\n"


def test_a_worker_that_outlives_its_server_does_not_keep_the_file(file: Path):
    url = f"sqlite:///{file}"
    program = (
        "import os, time\nfrom db.sqlite_file import only_server\n"
        f"with only_server({url!r}):\n"
        "    worker = os.fork()\n"
        "    if worker == 0: os.close(1); time.sleep(60); os._exit(0)\n"
        "    print(worker, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    server = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert served_by_another(url).stdout == "serves\n"
    finally:
        os.kill(int(server.stdout), signal.SIGKILL)


def test_another_database_has_any_number_of_servers():
    with only_server("postgresql://db/waymark"), only_server("postgresql://db/waymark"):
        pass


def test_a_network_filesystem_is_recognised(file: Path, monkeypatch: pytest.MonkeyPatch):
    assert network_filesystem(file) is None
    mounts = Path("/proc/mounts").read_text().splitlines()
    monkeypatch.setattr(sqlite_file, "_NETWORK", {line.split()[2] for line in mounts})
    assert network_filesystem(file)


def test_a_large_log_is_emptied(file: Path):
    connection = grow(file)
    assert empty_log(file, above=log_size(file)) and log_size(file) > LARGE
    assert empty_log(file, above=LARGE) and log_size(file) == 0
    connection.close()


def test_a_reader_delays_it_and_does_not_stop_writers(file: Path):
    reader = sqlite3.connect(file, isolation_level=None)
    connection = grow(file)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM page").fetchone()
    connection.execute("INSERT INTO page VALUES (zeroblob(2000000))")
    assert not empty_log(file, above=LARGE)
    connection.execute("INSERT INTO page VALUES (1)")
    reader.execute("COMMIT")
    assert empty_log(file, above=LARGE) and log_size(file) == 0
    assert connection.execute("SELECT count(*) FROM page").fetchone() == (3,)


async def test_a_server_empties_it_again_and_again(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite_file, "CHECKPOINT_SECONDS", 0.05)
    monkeypatch.setattr(sqlite_file, "LARGEST_LOG_BYTES", LARGE)
    async with short_log(f"sqlite:///{file}"), short_log("postgresql://db/waymark"):
        for _ in range(2):
            connection = grow(file)
            async with asyncio.timeout(30):
                while log_size(file):
                    await asyncio.sleep(0.05)
            connection.close()
