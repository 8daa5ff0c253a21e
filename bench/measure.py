"""Measuring one server at a time: throughput, latency, CPU of the server and of PostgreSQL, SQL statements."""

import asyncio
import json
import os
import pickle
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.postgres import SUPERUSER, Postgres
from bench.servers import ROOT, Server

_TICKS = os.sysconf("SC_CLK_TCK")
# However fast a server is, no measurement asks more often than this.
MOST = 200_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One turn. Times in milliseconds; `server_cpu` and `database_cpu` are milliseconds of CPU a request."""

    requests: int
    per_second: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    kilobytes: float


def measure(
    server: Server, postgres: Postgres, requests: list[bytes], connections: int, seconds: float, cores: set[int] | None,
    offset: int = 0, most: int = MOST,
) -> Measured:  # fmt: skip
    """One turn. RuntimeError where an answer was not a good one."""
    before = _cpu([server.process.pid]), _database_cpu(postgres)
    load = subprocess.run(
        [sys.executable, "-m", "bench.load", *map(str, (server.port, connections, seconds, most, offset))],
        input=pickle.dumps(requests), capture_output=True, cwd=ROOT, timeout=seconds + 120,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )  # fmt: skip
    if load.returncode:
        raise RuntimeError(f"{server.name}: {load.stderr.decode(errors='replace')[-2000:]}")
    seen = json.loads(load.stdout)
    if seen["bad"]:
        raise RuntimeError(f"{server.name}: {seen['bad']} of {seen['requests']} answers were refusals or errors")
    used = _cpu([server.process.pid]) - before[0], _database_cpu(postgres) - before[1]
    count = seen["requests"]
    return Measured(
        count, count / seen["seconds"], seen["p50"], seen["p99"], used[0] / count, used[1] / count,
        seen["bytes"] / count / 1024,
    )  # fmt: skip


def _cpu(pids: list[int]) -> float:
    """Milliseconds of CPU that these processes have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / _TICKS


def _database_cpu(postgres: Postgres) -> float:
    """Of all of PostgreSQL's processes, of those that have ended too: they are on the first one's account."""
    fields = Path(f"/proc/{postgres.pid}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) * 1000 / _TICKS
    return ended + _cpu([postgres.pid, *_children(postgres.pid)])


def _children(parent: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def resident(server: Server) -> float:
    """Megabytes of memory that the server's process holds."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def count_statements(server: Server, postgres: Postgres, database: str, requests: list[bytes]) -> float:
    """SQL statements a request as PostgreSQL's log has them, BEGIN and ROLLBACK included."""
    several = 20
    await _log_statements(postgres, database, True)
    start = postgres.log.stat().st_size
    measure(server, postgres, requests, 1, 60, None, most=several)
    await _log_statements(postgres, database, False)
    with postgres.log.open("rb") as log:
        log.seek(start)
        written = log.read()
    mark = f"[{database}] LOG:  ".encode()
    return sum(written.count(mark + kind) for kind in (b"execute ", b"statement: ")) / several


async def _log_statements(postgres: Postgres, database: str, on: bool) -> None:
    connection = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=SUPERUSER)
    try:
        await connection.execute("alter system set log_line_prefix = '[%d] '")
        await connection.execute(f"alter system set log_statement = '{'all' if on else 'none'}'")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()
    # Connections hear of it when they next do something.
    await asyncio.sleep(0.3)


def settle(seconds: float = 0.2) -> None:
    """A moment for what the turn before has left running."""
    time.sleep(seconds)
