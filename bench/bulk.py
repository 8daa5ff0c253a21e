"""Measures a bulk export with the client: `python -m bench.bulk --learners 3000`, on SQLite and on PostgreSQL.

Each database is made, and filled with a cohort, if it is not there. Prints the time until the file is on the client's
side, the seconds of the processor that each side used, and the most memory of each: of the server, of the process that
makes the file, of the server's other processes, of all of the server's side at one time, and of the client. Memory is
PSS: a page that several processes have counts as a part in each.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from bench.cohort import prepare_cohort
from bench.postgres import Postgres
from bench.servers import ROOT, Server, with_defaults
from db.database import Database
from db.migrate import migrate
from db.models.user import RoleGrant
from services.demo.accounts import PASSWORD
from services.demo.cohort import build_cohort
from services.storage.file_store import open_store

_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.1
_SERVER, _EXPORT, _OTHERS = "server", "export process", "other processes"
OPERATION, FORMATS = "learner_criteria", ("parquet", "csv", "json")


@dataclass
class Watch:
    """Samples in a block the memory of a process and of all its descendants, in MB, and sums how much they worked."""

    pid: int
    # The most memory of the processes of one kind; and the most of all of them at one time.
    peaks: dict[str, float] = field(default_factory=dict)
    together: float = 0.0
    seconds: float = 0.0

    def __enter__(self) -> "Watch":
        self._ended = threading.Event()
        self._before = _worked(self.pid)
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.seconds = _worked(self.pid) - self._before

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            sums: dict[str, float] = {}
            for pid in (self.pid, *_descendants(self.pid)):
                name = _SERVER if pid == self.pid else _EXPORT if _is_export(pid) else _OTHERS
                sums[name] = sums.get(name, 0.0) + _memory(pid)
            self.peaks = {name: max(self.peaks.get(name, 0.0), sums.get(name, 0.0)) for name in self.peaks | sums}
            self.together = max(self.together, sum(sums.values()))


def _descendants(pid: int) -> list[int]:
    """Returns the processes that any thread of a process has started, and those that they have started."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in children.read_text().split()]
    return found + [each for child in found for each in _descendants(child)]


def _is_export(pid: int) -> bool:
    """Returns whether a process makes a bulk export; at its end that of a Parquet file runs a second program."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"export_worker" in command or b"queries.parquet_pieces" in command


def _memory(pid: int) -> float:
    """Returns the memory of a process in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0) / 1024


def _worked(pid: int) -> float:
    """Returns the processor's seconds of a process and of the processes of it that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


async def _prepare(url: str, learners: int, files: Path) -> None:
    database = Database(url)
    try:
        await migrate(database)
        # unscoped: a database of the benchmark
        if not await database.rows(select(RoleGrant.user_id).limit(1)):
            await build_cohort(database, open_store(files), learners=learners, progress=True)
            await database.analyze()
    finally:
        await database.close()


def _export(server: Server, format: str, out: Path) -> str:
    """Exports and downloads; returns a line about it."""
    environment = {
        **os.environ, "WAYMARK_URL": f"http://127.0.0.1:{server.port}", "WAYMARK_USERNAME": "cohort.admin",
        "WAYMARK_PASSWORD": PASSWORD,
    }  # fmt: skip
    began = time.monotonic()
    with Watch(server.pid) as watch:
        client = subprocess.Popen(
            [sys.executable, "-m", "queries", "export", OPERATION, "--out", str(out)], cwd=ROOT, env=environment,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert client.stderr is not None
        with Watch(client.pid) as client_watch:
            said = client.stderr.read().strip().splitlines()
            # Its figures can be read until somebody waits for it.
            os.waitid(os.P_PID, client.pid, os.WEXITED | os.WNOWAIT)
        client.wait()
    if client.returncode:
        raise RuntimeError("\n".join(said))
    peaks = ", ".join(f"{name} {memory:.0f} MB" for name, memory in watch.peaks.items())
    return (
        f"{format}: {said[-1].split(' in ')[0]}, {out.stat().st_size / 1e6:.1f} MB; "
        f"{time.monotonic() - began:.1f} s; server's side {watch.seconds:.1f} s of the processor, {peaks}, at one time "
        f"{watch.together:.0f} MB; client {client_watch.seconds:.1f} s, {client_watch.together:.0f} MB"
    )


def measure(name: str, url: str, learners: int, folder: Path, formats: tuple[str, ...]) -> None:
    """Fills a database if it is empty, and prints the figures of an export in each format."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_prepare(url, learners, folder / "files"))
    server = with_defaults(url, folder)
    server.start(folder)
    try:
        for format in formats:
            line = _export(server, format, folder / f"export.{format}")
            print(f"{name}, {line}; load {os.getloadavg()[0]:.1f}", flush=True)
    finally:
        server.stop()


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description="Measures a bulk export of every criterion, with the client.")
    parser.add_argument("--learners", type=int, default=3_000)
    parser.add_argument("--format", action="append", choices=FORMATS, help="only this one; can be repeated")
    parser.add_argument("--on", choices=("sqlite", "postgresql"), help="only this database")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench") / f"bulk-{arguments.learners}"
    folder.mkdir(parents=True, exist_ok=True)
    given = (arguments.learners, tuple(arguments.format or FORMATS))
    if arguments.on != "postgresql":
        measure("SQLite", f"sqlite:///{folder}/sqlite/waymark.db", given[0], folder / "sqlite", given[1])
    if arguments.on != "sqlite":
        with ExitStack() as stack:
            postgres = stack.enter_context(Postgres(folder / "postgres"))
            database = asyncio.run(prepare_cohort(postgres, given[0], folder / "files"))
            measure("PostgreSQL", postgres.url(database), given[0], folder / "of-postgresql", given[1])


if __name__ == "__main__":
    main()
