"""Measures a bulk export with the client: `python -m bench.bulk --learners 3000`, on SQLite and on PostgreSQL.

Each database is made, and filled with a cohort, if it is not there. Prints the time until the file is on the client's
side, the seconds of the processor that each side used, and the most memory that each of its processes had: of the
server's side the server and the process that makes the file, of the client's side the command.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
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
_SAMPLE_SECONDS = 0.05
OPERATION, FORMATS = "learner_criteria", ("parquet", "csv", "json")


@dataclass
class Watch:
    """Samples the memory of a process and of the processes that it starts, in the block; and how much they worked."""

    pid: int
    # The most memory of each process, in MB, by its command line; and the most of them all at one time.
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
            found = [(pid, memory) for pid in (self.pid, *_children(self.pid)) if (memory := _memory(pid)) is not None]
            for pid, (now, most) in found:
                name = "server" if pid == self.pid else "export process"
                # What the server took before the export is not the export's.
                self.peaks[name] = max(self.peaks.get(name, 0.0), now if pid == self.pid else most)
            self.together = max(self.together, sum(now for _, (now, _) in found))


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    # Only processes of exports: the server's others are there without one.
    return [each for each in map(int, text.split()) if b"export_worker" in _command(each)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _memory(pid: int) -> tuple[float, float] | None:
    """Returns the memory of a process in MB, and the most it had; None if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    values = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines) if rest.strip()}
    if "VmRSS" not in values:
        return None
    return int(values["VmRSS"]) / 1024, int(values["VmHWM"]) / 1024


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
        said = client.stderr.read().strip().splitlines()
        _, status, usage = os.wait4(client.pid, 0)
    client.returncode = os.waitstatus_to_exitcode(status)
    if client.returncode:
        raise RuntimeError("\n".join(said))
    peaks = ", ".join(f"{name} {memory:.0f} MB" for name, memory in watch.peaks.items())
    return (
        f"{format}: {said[-1].split(' in ')[0]}, {out.stat().st_size / 1e6:.1f} MB; "
        f"{time.monotonic() - began:.1f} s; server's side {watch.seconds:.1f} s of the processor, {peaks}, at one time "
        f"{watch.together:.0f} MB; client {usage.ru_utime + usage.ru_stime:.1f} s, {usage.ru_maxrss / 1024:.0f} MB"
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
