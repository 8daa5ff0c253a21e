"""Starts the processes that make exports, and reads the messages of one that makes a bulk export."""

import asyncio
import errno
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
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

    def __init__(self, process: "StartedProcess", folder: Path) -> None:
        self._process = process
        self._reading: asyncio.Task[bytes] | None = None
        self.folder = folder

    async def next(self, seconds: float) -> Mapping[str, Any] | None:
        """Returns its next message; an empty mapping if none comes in `seconds`; None once it has ended."""
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
            process.stdin.write(json.dumps({**job, "folder": str(folder.path)}).encode() + b"\n")
            yield running
        finally:
            await running.end()
    finally:
        await asyncio.to_thread(folder.remove)


class _Input:
    """The standard input of a process."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, content: bytes) -> None:
        """Sends content, which is lost if the process has ended: its output then ends too."""
        if not self._transport.is_closing():
            self._transport.write(content)

    def close(self) -> None:
        self._transport.close()


class StartedProcess:
    """A process with a thread of its own, which starts it and waits for its end.

    The event loop would copy the page tables of the server to start it, which takes 20 ms and more. `stdin` and
    `stdout` are those of the process.
    """

    stdin: _Input
    stdout: asyncio.StreamReader

    def __init__(self, process: subprocess.Popen[bytes], ended: "asyncio.Future[int]") -> None:
        self._process = process
        self._ended = ended
        self.pid = process.pid

    @classmethod
    async def of(cls, command: Sequence[str], environment: Mapping[str, str]) -> "StartedProcess":
        """Starts a command. Raises OSError."""
        loop = asyncio.get_running_loop()
        started: asyncio.Future[subprocess.Popen[bytes]] = loop.create_future()
        ended: asyncio.Future[int] = loop.create_future()

        def begin(process: subprocess.Popen[bytes]) -> None:
            if started.cancelled():
                _abandon(process)
            else:
                started.set_result(process)

        def follow() -> None:
            # The loop may have ended before its process.
            with suppress(RuntimeError):
                try:
                    process = subprocess.Popen(
                        command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                        env=environment,
                    )  # fmt: skip
                except OSError as error:
                    loop.call_soon_threadsafe(_fail, started, error)
                    return
                loop.call_soon_threadsafe(begin, process)
                status = process.wait()
                loop.call_soon_threadsafe(ended.set_result, status)

        try:
            threading.Thread(target=follow, name="process", daemon=True).start()
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, "no thread for a process") from error
        running = cls(await started, ended)
        try:
            await running._connect(loop)
        except BaseException:
            _abandon(running._process)
            raise
        return running

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stdout = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(self.stdout, loop=loop)
        self._output, _ = await loop.connect_read_pipe(lambda: protocol, self._process.stdout)
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._process.stdin)
        self.stdin = _Input(transport)

    @property
    def returncode(self) -> int | None:
        """The status with which it ended; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    async def wait(self) -> int:
        """Waits for its end, and closes its pipes; returns its status."""
        status = await asyncio.shield(self._ended)
        self.stdin.close()
        self._output.close()
        return status


def _fail(started: "asyncio.Future[Any]", error: OSError) -> None:
    if not started.done():
        started.set_exception(error)


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that nobody waits for; its thread notes the end."""
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


async def start(module: str, **variables: str) -> StartedProcess:
    """Starts a module with further environment variables. It gets no settings but by its input. Raises OSError."""
    command = [sys.executable, "-P", "-m", module]
    return await StartedProcess.of(command, {**worker_environment(), **_FRUGAL, **variables})
