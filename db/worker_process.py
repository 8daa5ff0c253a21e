"""Worker processes for work that takes the processor: it must stop neither the event loop nor, by the GIL, its thread.

pool = WorkerPool("auth.password_strength:is_easily_guessed", size=1)
result = await pool.call(password)

A worker is started at the first call, calls the function with what it reads from its standard input, and ends with that
input or after some idle minutes. It gets no settings, so it knows neither keys nor databases.
"""

import asyncio
import importlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

import structlog

from db.priority import LOWER, lower_process_priority

log = structlog.get_logger(__name__)

_ROOT = Path(__file__).parent.parent
_LENGTH = struct.Struct("!I")
# Each read makes room for what it may get, and a pipe gives little at once.
_PART = 2**20
IDLE_SECONDS = 600.0


# Every pool of this process.
_pools: "WeakSet[WorkerPool]" = WeakSet()


def worker_environment() -> dict[str, str]:
    """Returns the environment of a process that imports Waymark's modules and gets none of its settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    paths = filter(None, (str(_ROOT), environment.get("PYTHONPATH")))
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


def close_workers() -> None:
    """Ends the processes of every pool."""
    for pool in list(_pools):
        pool.close()


class WorkerFailed(ConnectionError):
    """No worker did the work: too many calls wait, none can start, it took too long, or the process ended twice."""


class WorkerTimedOut(WorkerFailed):
    """The work took too long."""


class WorkerEnded(WorkerFailed):
    """The process ended twice with this work."""


class WorkerPool:
    """`size` processes that call a function, named "module:function", with pickled arguments.

    A call that takes longer than `timeout` seconds ends its process. One whose process ended is tried once more, in a
    new process. `max_waiting` calls may wait for a process; further ones fail at once. With `memory_bytes`, an
    allocation fails in the worker that takes so much more than it has once it knows the function. `niceness`: the
    priority of the processes, lower the higher it is.
    """

    def __init__(
        self,
        function: str,
        size: int = 1,
        timeout: float = 20.0,
        max_waiting: int = 50,
        memory_bytes: int | None = None,
        niceness: int = LOWER,
    ) -> None:
        self._function = function
        self._timeout = timeout
        self._memory_bytes = memory_bytes
        self._niceness = niceness
        self._max_calls = size + max_waiting
        self._calls = 0
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=function)
        self._process = threading.local()
        self._processes: set[subprocess.Popen[bytes]] = set()
        _pools.add(self)

    async def call(self, *arguments: Any) -> Any:
        """Returns the function's result. Raises WorkerFailed, or RuntimeError where the function raised."""
        if self._calls >= self._max_calls:
            log.warning("worker_queue_full", function=self._function, calls=self._calls)
            raise WorkerFailed("too many calls wait for a worker process")
        self._calls += 1
        try:
            try:
                done = asyncio.get_running_loop().run_in_executor(self._threads, self._run, arguments)
            except RuntimeError as error:
                # The system gives no thread, or Python ends.
                log.error("worker_not_started", function=self._function, cause=str(error))
                raise WorkerFailed("no thread for a worker process") from error
            failure, result = await done
        finally:
            self._calls -= 1
        if failure is not None:
            raise RuntimeError(f"{failure} in {self._function}")
        return result

    def close(self) -> None:
        """Ends the processes; calls that wait fail. The pool can be used again afterwards: it starts new ones."""
        for process in list(self._processes):
            _end(process)
        self._processes.clear()

    def _run(self, arguments: tuple[Any, ...]) -> Any:
        message = _message(arguments)
        for _ in range(2):
            deadline = time.monotonic() + self._timeout
            try:
                process = self._running()
            except (OSError, ValueError) as error:
                log.error("worker_not_started", function=self._function, cause=str(error))
                raise WorkerFailed("no worker process could be started") from error
            try:
                _write(process.stdin, message, deadline)
                return _read(process.stdout, deadline)
            except TimeoutError:
                self._forget(process)
                log.error("worker_timed_out", function=self._function, seconds=self._timeout)
                raise WorkerTimedOut("the worker process took too long") from None
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):
                # Idle for too long, killed by the system, closed, or without a proper answer.
                self._forget(process)
        log.error("worker_ended", function=self._function, status=process.poll())
        raise WorkerEnded("the worker process ended")

    def _running(self) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] | None = getattr(self._process, "value", None)
        if process is not None and process.poll() is not None:
            self._forget(process)
            process = None
        if process is None:
            process = self._process.value = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    __name__,
                    self._function,
                    str(self._niceness),
                    str(self._memory_bytes or ""),
                ],
                env=worker_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
            self._processes.add(process)
            # A worker that does not read must not keep the one who writes.
            assert process.stdin is not None
            os.set_blocking(process.stdin.fileno(), False)
        return process

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        _end(process)
        self._processes.discard(process)
        self._process.value = None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _message(value: Any) -> bytes:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def _write(stream: IO[bytes] | None, message: bytes, deadline: float | None) -> None:
    """Raises TimeoutError if the other side has not taken it all by then."""
    assert stream is not None
    view = memoryview(message)
    while view:
        _wait(stream, select.POLLOUT, deadline)
        view = view[stream.write(view) or 0 :]


def _read(stream: IO[bytes] | None, deadline: float) -> Any:
    """Raises TimeoutError if it is not all there by then, and EOFError."""
    assert stream is not None
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size, deadline))
    return pickle.loads(_exactly(stream, length, deadline))


def _exactly(stream: IO[bytes], size: int, deadline: float) -> bytes:
    parts = []
    while size:
        _wait(stream, select.POLLIN, deadline)
        part = stream.read(min(size, _PART))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _wait(stream: IO[bytes], event: int, deadline: float | None) -> None:
    # Unlike select(), poll() also knows descriptors above 1024.
    poll = select.poll()
    poll.register(stream, event)
    if not poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _limit_memory(more: int) -> None:
    """Bounds what this process can take beyond what it has: a limit below that would fail its next import."""
    with suppress(OSError, ValueError):
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + more, mapped + more))


def _serve(function: str, niceness: int, memory_bytes: int | None) -> None:
    """The worker: answers each call with (class of the exception or None, result)."""
    # A signal for the server reaches its workers too; they end when it closes their input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lower_process_priority(niceness)
    module, _, name = function.partition(":")
    called = getattr(importlib.import_module(module), name)
    if memory_bytes is not None:
        _limit_memory(memory_bytes)
    with open(0, "rb", buffering=0) as requests, open(1, "wb", buffering=0) as responses:
        while True:
            try:
                arguments = _read(requests, time.monotonic() + IDLE_SECONDS)
            except (EOFError, TimeoutError):
                return
            answer: tuple[str | None, Any]
            try:
                answer = None, called(*arguments)
            except Exception as error:
                answer = type(error).__name__, None
            _write(responses, _message(answer), None)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3] else None)
