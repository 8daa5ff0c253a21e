"""Measures one server at a time: throughput, latency, CPU of the server and of PostgreSQL, SQL statements."""

import asyncio
import json
import os
import pickle
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import asyncpg

from bench.postgres import SUPERUSER, Postgres
from bench.screens import ROOT
from bench.servers import Server

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
# The default limit of requests in one measurement.
MAX_REQUESTS = 200_000


class Cores(NamedTuple):
    """The CPU cores of the measured server, and those of PostgreSQL and the load."""

    server: set[int]
    others: set[int]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement. Times are in milliseconds; `server_cpu`, `database_cpu` and `kilobytes` are per request."""

    requests: int
    per_second: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    kilobytes: float


def measure(
    server: Server, postgres: Postgres, requests: list[bytes], connections: int, seconds: float, cores: set[int] | None,
    offset: int = 0, max_requests: int = MAX_REQUESTS,
) -> Measurement:  # fmt: skip
    """Takes one measurement. Raises RuntimeError if the load fails or a response has an error."""
    server_before, database_before = _cpu_milliseconds([server.pid]), database_cpu_milliseconds(postgres)
    load = subprocess.run(
        [sys.executable, "-m", "bench.load", *map(str, (server.port, connections, seconds, max_requests, offset))],
        input=pickle.dumps(requests), capture_output=True, cwd=ROOT, timeout=seconds + 120,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )  # fmt: skip
    if load.returncode:
        raise RuntimeError(f"{server.name}: {load.stderr.decode(errors='replace')[-2000:]}")
    result = json.loads(load.stdout)
    if result["errors"]:
        raise RuntimeError(f"{server.name}: {result['errors']} of {result['requests']} responses have errors")
    count = result["requests"]
    return Measurement(
        requests=count,
        per_second=count / result["seconds"],
        p50=result["p50"],
        p99=result["p99"],
        server_cpu=(_cpu_milliseconds([server.pid]) - server_before) / count,
        database_cpu=(database_cpu_milliseconds(postgres) - database_before) / count,
        kilobytes=result["bytes"] / count / 1024,
    )


def _cpu_milliseconds(pids: list[int]) -> float:
    """Returns the CPU time that these processes have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / _CLOCK_TICKS


def database_cpu_milliseconds(postgres: Postgres) -> float:
    """Returns the CPU time of all of PostgreSQL's processes. Ended ones are counted in the first process."""
    fields = Path(f"/proc/{postgres.pid}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) * 1000 / _CLOCK_TICKS
    return ended + _cpu_milliseconds([postgres.pid, *_children(postgres.pid)])


def _children(parent: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def resident_megabytes(server: Server) -> float:
    """Returns the memory of the server's process."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def count_statements(server: Server, postgres: Postgres, database: str, requests: list[bytes]) -> float:
    """Returns the SQL statements per request in PostgreSQL's log, including BEGIN and ROLLBACK."""
    request_count = 20
    await _log_statements(postgres, True)
    start = postgres.log.stat().st_size
    measure(server, postgres, requests, 1, 60, None, max_requests=request_count)
    await _log_statements(postgres, False)
    with postgres.log.open("rb") as log:
        log.seek(start)
        written = log.read()
    prefix = f"[{database}] LOG:  ".encode()
    return sum(written.count(prefix + kind) for kind in (b"execute ", b"statement: ")) / request_count


async def _log_statements(postgres: Postgres, enabled: bool) -> None:
    connection = await asyncpg.connect(user=SUPERUSER, host=str(postgres.sockets), database=SUPERUSER)
    try:
        await connection.execute("alter system set log_line_prefix = '[%d] '")
        await connection.execute(f"alter system set log_statement = '{'all' if enabled else 'none'}'")
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()
    # Other connections apply the setting at their next command.
    await asyncio.sleep(0.3)


def settle(seconds: float = 0.2) -> None:
    """Waits for work that the previous measurement left running."""
    time.sleep(seconds)
