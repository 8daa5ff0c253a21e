"""The toy of `tests/support/minimal_schema.py` on a real server in a process of its own: what it weighs is the server's alone.

    async with toy_process(slow_reader_seconds=3) as process: …  # process.port, process.memory(), process.open()

Run as a program it takes the limits as `name=number` and prints its port; each line on its standard input is answered
with how many sockets and streams are open.
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


class ToyProcess:
    """A toy that runs elsewhere."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._weighed = psutil.Process(process.pid)
        self.port = port

    def memory(self) -> int:
        """Its resident memory in bytes."""
        return self._weighed.memory_info().rss

    async def open(self) -> int:
        """How many sockets and streams it has open."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(b"\n")
        return int(await self._process.stdout.readline())


@asynccontextmanager
async def toy_process(**limits: float) -> AsyncIterator[ToyProcess]:
    """A toy with these limits, gone at the end of the block."""
    given = [f"{name}={number}" for name, number in limits.items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *given, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield ToyProcess(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


async def _serve(limits: Limits) -> None:
    async with serving(limits=limits) as (port, view):
        print(port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(view.open_sockets + view.open_streams, flush=True)


if __name__ == "__main__":
    # What is asked is answered on the standard output: the log goes elsewhere.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    _given = dict(argument.split("=") for argument in sys.argv[1:])
    asyncio.run(_serve(Limits.read({f"WAYMARK_LIMIT_{name.upper()}": number for name, number in _given.items()})))
