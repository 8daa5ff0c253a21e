"""The minimal schema on a real server in a process of its own, so that its memory can be measured.

    async with minimal_schema_process(slow_reader_seconds=3) as process:
        ...  # process.port, process.memory(), process.open()

Run as a program it takes the limits as `name=number` and prints its port. It answers each line on its standard input
with the number of open WebSockets and event streams.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import structlog

from tests.support.architecture import ROOT
from tests.support.minimal_schema import serving
from transport.graphql import Limits


class MinimalSchemaProcess:
    """A running process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._process_info = psutil.Process(process.pid)
        self.port = port

    def memory(self) -> int:
        """Returns its resident memory in bytes."""
        return self._process_info.memory_info().rss

    async def open(self) -> int:
        """Returns how many WebSockets and event streams are open."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(b"\n")
        return int(await self._process.stdout.readline())


@asynccontextmanager
async def minimal_schema_process(**limits: float) -> AsyncIterator[MinimalSchemaProcess]:
    """Runs a process with these limits, until the end of the block."""
    given = [f"{name}={number}" for name, number in limits.items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *given, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield MinimalSchemaProcess(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


async def _serve(limits: Limits) -> None:
    async with serving(limits=limits) as (port, endpoint):
        print(port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(endpoint.open_sockets + endpoint.open_streams, flush=True)


if __name__ == "__main__":
    # The standard output is for answers, so the log goes to the standard error.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    _given = dict(argument.split("=") for argument in sys.argv[1:])
    asyncio.run(_serve(Limits.read({f"WAYMARK_LIMIT_{name.upper()}": number for name, number in _given.items()})))
