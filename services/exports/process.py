"""Starts the processes that make exports, and reads the messages of one that makes a bulk export."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from db.worker_process import worker_environment
from services.exports.own_folder import EXPORT, OwnFolder
from services.storage.file_store import READ_CHUNK

_MODULE = "export_worker"
# Its libraries may use several processors and arenas of memory: requests come first.
_FRUGAL = {"POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}


class ExportProcess:
    """A running process. `folder` is its own; the file is there once it has sent `done`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._reading: asyncio.Task[bytes] | None = None
        self.folder = folder

    async def next(self, seconds: float) -> Mapping[str, Any] | None:
        """Returns its next message; an empty mapping if none comes in `seconds`; None once it has ended."""
        assert self._process.stdout is not None
        if self._reading is None:
            self._reading = asyncio.create_task(self._process.stdout.readline())
        done, _ = await asyncio.wait({self._reading}, timeout=seconds)
        if not done:
            return {}
        line, self._reading = self._reading.result(), None
        message: Mapping[str, Any] | None = json.loads(line) if line else None
        return message

    async def content(self) -> AsyncIterator[bytes]:
        """Yields the file."""
        with (self.folder / "export").open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, READ_CHUNK):
                yield chunk

    def written(self) -> int:
        """Returns how many bytes of the file there are by now."""
        try:
            return (self.folder / "export").stat().st_size
        except FileNotFoundError:
            return 0

    async def end(self) -> None:
        """Ends the process."""
        if self._reading is not None:
            self._reading.cancel()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def export_process(job: Mapping[str, Any]) -> AsyncIterator[ExportProcess]:
    """Starts a process with a job; ends it, and removes its folder, at the end of the block. Raises OSError."""
    folder = OwnFolder(EXPORT)
    try:
        process = await start(_MODULE)
        running = ExportProcess(process, folder.path)
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps({**job, "folder": str(folder.path)}).encode() + b"\n")
            yield running
        finally:
            await running.end()
    finally:
        await asyncio.to_thread(folder.remove)


async def start(module: str, **variables: str) -> asyncio.subprocess.Process:
    """Starts a module with further environment variables. It gets no settings but by its input. Raises OSError."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**worker_environment(), **_FRUGAL, **variables},
    )  # fmt: skip
