"""The processes of exports, forked from one that has imported what they need."""

import asyncio
import os

from db.worker_process import worker_environment
from services.exports import process as export_process
from tests.support.preloaded_process import PreloadedProcess

# Starts a new interpreter, as a server does.
start_interpreter = export_process.start


class _Input:
    """The standard input of a process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, content: bytes) -> None:
        os.write(self._descriptor, content)

    def close(self) -> None:
        os.close(self._descriptor)


class ForkedExport:
    """What is used of `services.exports.process.StartedProcess`."""

    def __init__(self, process: PreloadedProcess, stdin: _Input, stdout: asyncio.StreamReader) -> None:
        self._process, self.stdin, self.stdout = process, stdin, stdout

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    async def wait(self) -> int:
        status = await asyncio.to_thread(self._process.wait)
        self.stdin.close()
        return status


async def _start(module: str, **variables: str) -> ForkedExport:
    environment = {**worker_environment(), **variables}
    given, giving = os.pipe()
    said, saying = os.pipe()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(said, "rb")
    )
    with os.fdopen(given, "rb") as theirs, os.fdopen(saying, "wb") as output, open(os.devnull, "wb") as errors:
        # The tests wait for them, often on a busy machine: not at a low priority.
        patches = {f"{module}.BACKGROUND": 0}
        process = await asyncio.to_thread(
            PreloadedProcess, (), environment, output, errors, theirs, program=module, patches=patches
        )
    return ForkedExport(process, _Input(giving), reader)


def fork_exports() -> None:
    """Lets the servers of this process fork their exports, each of which would import for two seconds."""
    export_process.start = _start  # type: ignore[assignment]
